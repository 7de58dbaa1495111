"""Words of addresses: how they are spelt, and which of them place or name a home.

The lists are general knowledge of British addresses, and of no council's records. A word that is
missing here is taken for a name.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SPELLINGS = {
    "STREET": "STR STRT STREE", "ROAD": "RD", "AVENUE": "AVE AV AVEN AVN", "CLOSE": "CL CLO CLS",
    "DRIVE": "DR DRV DRI", "LANE": "LN LA", "GROVE": "GRV GRO", "CRESCENT": "CRES CR CRESC CRS",
    "COURT": "CT CRT", "PLACE": "PL PLC", "TERRACE": "TERR TER TCE", "GARDENS": "GDNS GDN GARDEN",
    "WAY": "WY", "WALK": "WK WLK", "SQUARE": "SQ SQR", "PARADE": "PDE", "BOULEVARD": "BLVD BVD",
    "HILL": "HL", "PARK": "PK", "GREEN": "GRN", "VIEW": "VW", "MEWS": "MWS", "ROW": "RW",
    "PASSAGE": "PSGE", "ESPLANADE": "ESP", "PROMENADE": "PROM", "EMBANKMENT": "EMB",
    "HOUSE": "HSE HO", "COTTAGE": "COTT COT", "COTTAGES": "COTTS COTS", "FARM": "FM",
    "BUILDINGS": "BLDGS BLDG BUILDING", "MANSIONS": "MANS", "HEIGHTS": "HTS", "BUNGALOW": "BUNG",
    "MEADOWS": "MDWS", "LODGE": "LDG",
    "UPPER": "UPR UPP", "LOWER": "LWR", "GREAT": "GT GRT", "LITTLE": "LTL LT", "MOUNT": "MT",
    "NORTH": "NTH NRTH", "SOUTH": "STH", "WEST": "WST", "ESTATE": "EST", "FLOORS": "FLRS",
    "REAR": "RR BEHIND", "ADJACENT": "ADJ ADJOINING ADJOINS BESIDE ALONGSIDE", "OPPOSITE": "OPP",
    "BETWEEN": "BETW BTWN", "OVER": "ABOVE", "UNDER": "BELOW BENEATH", "FRONT": "FRT FT",
    "LEFT": "LHS", "RIGHT": "RHS", "NEAR": "NR",
    "ANNEXE": "ANNEX ANX ANNEXES", "GARAGE": "GARAGES GRGE", "STABLES": "STABLE STBLS",
    "BLOCK": "BLK", "CARAVAN": "CVN", "LAND": "LND",
    "FIRST": "1ST", "SECOND": "2ND", "THIRD": "3RD", "FOURTH": "4TH", "FIFTH": "5TH",
    "SIXTH": "6TH", "SEVENTH": "7TH", "EIGHTH": "8TH", "NINTH": "9TH", "TENTH": "10TH",
}  # fmt: skip
_SPELT = {short: word for word, shorts in _SPELLINGS.items() for short in shorts.split()}

_SEVERAL = {"ST": frozenset(("STREET", "SAINT")), "GR": frozenset(("GROVE", "GREEN", "GREAT"))}
"""Abbreviations that may stand for several words."""

# Both names of a street are official in Wales, and a person may type either.
_WELSH = {
    "HEOL": "ROAD STREET", "FFORDD": "ROAD WAY DRIVE", "STRYD": "STREET", "LON": "LANE DRIVE",
    "CLOS": "CLOSE", "RHODFA": "AVENUE DRIVE WALK", "TERAS": "TERRACE", "CILGANT": "CRESCENT",
    "LLWYN": "GROVE", "GERDDI": "GARDENS", "RHES": "ROW TERRACE", "SGWAR": "SQUARE",
    "CWRT": "COURT", "PARC": "PARK", "RHIW": "HILL",
}  # fmt: skip
_TRANSLATED = {word: frozenset(english.split()) for word, english in _WELSH.items()}

STREET_TYPES = _words(
    """
    STREET ROAD AVENUE CLOSE DRIVE LANE GROVE CRESCENT PLACE TERRACE GARDENS WAY WALK SQUARE
    PARADE BOULEVARD MEWS ROW RISE PASSAGE ALLEY CIRCUS ESPLANADE PROMENADE EMBANKMENT
    APPROACH VILLAS BROADWAY CAUSEWAY WYND VENNEL BRAE LOAN PEND ST GR HEOL FFORDD STRYD LON
    CLOS RHODFA TERAS CILGANT LLWYN GERDDI RHES SGWAR
    """
)
"""Words that say what kind of street it is, and hardly ever anything else."""

BUILDINGS = _words(
    """
    HOUSE COURT LODGE HALL MANSIONS HEIGHTS POINT TOWER TOWERS BUILDINGS WHARF QUAY MILL
    PLACE CWRT
    """
)
"""Words that end the name of a building with several homes."""

DWELLINGS = _words(
    """
    COTTAGE COTTAGES BARN BARNS LODGE FARM FARMHOUSE BUNGALOW STABLES GRANARY BYRE STEADING
    CHALET CABIN GATEHOUSE BOATHOUSE HOUSEBOAT DAIRY BOTHY COACH COACHHOUSE OUTBUILDING
    OUTHOUSE WORKSHOP SHED GARAGE LOFT YSGUBOR BWTHYN SUMMER SUMMERHOUSE HUT POD YURT
    """
)
"""What stands on the ground of another home as often as alone."""

PLACING = _words(
    """
    REAR ADJACENT OPPOSITE BETWEEN LAND ANNEXE GRANNY CARAVAN PLOT PITCH BERTH MOORING
    MOBILE LEFT RIGHT BLOCK WING ENTRANCE STAIR PHASE CELLAR LOFT GARAGE OUTBUILDING
    OUTHOUSE SHED WORKSHOP COACH COACHHOUSE STABLES SIDE HALF PART PORTION EXTENSION
    CONVERSION FORMERLY PREVIOUSLY
    """
)
"""Words that say where at an address a home is, or that it is only a part of it."""

REFERRING = _words("REAR ADJACENT OPPOSITE BETWEEN LAND PLOT NEAR NEXT OFF")
"""Words before a number that is another home's: `TY LARCH REAR OF 130 MARLOW ROAD`."""

_KINDS_OF_PLACE = _words(
    """
    HILL PARK VIEW GREEN FIELD FIELDS GATE MEADOW MEADOWS EDGE END MOUNT CROSS FOLD BANK
    VALE COMMON CORNER CREST GLADE GLEN GARTH DENE MANOR GRANGE VILLA VICARAGE RECTORY MANSE
    INN NOOK CROFT YARD CHASE COPSE SPINNEY PARC RHIW MAES TY PLAS
    """
)
_QUALIFIERS = _words(
    """
    NORTH SOUTH EAST WEST NORTHERN SOUTHERN EASTERN WESTERN UPPER LOWER HIGHER INNER OUTER
    OLD NEW GREAT LITTLE MIDDLE TOP BOTTOM HIGH LOW NEAR FAR LONG SHORT FRONT BACK OVER
    UNDER NEXT OFF FIRST SECOND THIRD FOURTH FIFTH SIXTH SEVENTH EIGHTH NINTH TENTH BASEMENT
    GROUND ATTIC UCHAF ISAF FAWR FACH NEWYDD HEN
    """
)
DISTINGUISHING = _QUALIFIERS | DWELLINGS | PLACING
"""Words of which one in the place of another names another home in the same street."""

KNOWN = STREET_TYPES | BUILDINGS | DWELLINGS | PLACING | _KINDS_OF_PLACE | _QUALIFIERS
"""Words that distinguish homes, so that none is a slip of the keyboard for another."""

TELLING = KNOWN - _KINDS_OF_PLACE
"""Words of which one more behind the street's name makes it another street's."""

SAYING_NOTHING = _words(
    """
    THE AND OF AT IN ON TO BY NO NUMBER FLOOR FLOORS YR MR MRS MISS MS MX REV CO CARE
    NURSING RESIDENTIAL REST RETIREMENT HOME
    """
)

UNITS = {
    "FLAT": "FLAT", "FLATS": "FLAT", "FLT": "FLAT", "APARTMENT": "FLAT", "APT": "FLAT",
    "APPT": "FLAT", "MAISONETTE": "FLAT", "MAIS": "FLAT", "MAISON": "FLAT", "FFLAT": "FLAT",
    "ROOM": "ROOM", "RM": "ROOM", "BEDROOM": "ROOM", "BEDSIT": "BEDSIT", "UNIT": "UNIT",
    "STUDIO": "STUDIO",
}  # fmt: skip
"""Words for one of several homes in a house, and which of them mean the same."""

FLOORS = {
    "BASEMENT": "BASEMENT", "BSMT": "BASEMENT", "BST": "BASEMENT", "LOWER": "LOWER",
    "GROUND": "GROUND", "GRD": "GROUND", "GND": "GROUND", "FIRST": "FIRST", "SECOND": "SECOND",
    "THIRD": "THIRD", "FOURTH": "FOURTH", "FIFTH": "FIFTH", "TOP": "TOP", "UPPER": "UPPER",
    "ATTIC": "ATTIC",
}  # fmt: skip

LETTERED = _words(
    """
    BLOCK PLOT PITCH BERTH CARAVAN CHALET WING STAIR ENTRANCE MOORING CABIN GARAGE PHASE
    """
)
"""Words after which a single letter is a number, as it is after those of `UNITS`."""


def spelt(word: str) -> str:
    """A word in capitals as it is written in full: ROAD for RD."""
    return _SPELT.get(word, word)


def agree(word: str, other: str) -> bool:
    """Whether two words as `spelt` gives them are one, also in the plural or in Welsh."""
    if word == other or word + "S" == other or other + "S" == word:
        return True
    if other in _SEVERAL.get(word, ()) or word in _SEVERAL.get(other, ()):
        return True
    return other in _TRANSLATED.get(word, ()) or word in _TRANSLATED.get(other, ())
