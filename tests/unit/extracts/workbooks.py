"""Writes small .xlsx files by hand, with what no library of ours writes: errors, odd formulas."""

import zipfile
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class Raw(str):
    """A cell as XML, with `{at}` where its reference stands."""


def day(number):
    """A date: the number of its day, shown as a date."""
    return Raw(f'<c r="{{at}}" s="1"><v>{number}</v></c>')


ERROR = Raw('<c r="{at}" t="e"><v>#N/A</v></c>')
FORMULA = Raw('<c r="{at}"><f>1+1</f><v>2</v></c>')
UNSAVED_FORMULA = Raw('<c r="{at}"><f>1+1</f></c>')
TRUE = Raw('<c r="{at}" t="b"><v>1</v></c>')


def write_xlsx(path, sheets, *, hidden=(), merged=""):
    """Writes sheets: from names to rows of texts, numbers, None and `Raw` cells."""
    names = list(sheets)
    ids = range(1, len(names) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{at}.xml" '
            f'ContentType="{_TYPE}.worksheet+xml"/>'
            for at in ids
        )
        + f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(
            f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}" '
            f'state="{_state(name in hidden)}"/>'
            for at, name in zip(ids, names, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{at}" Type="{_OFFICE}/worksheet" '
            f'Target="worksheets/sheet{at}.xml"/>'
            for at in ids
        )
        + f'<Relationship Id="rId99" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }
    for at, name in zip(ids, names, strict=True):
        rows = "".join(_row(number, row) for number, row in enumerate(sheets[name], 1))
        parts[f"xl/worksheets/sheet{at}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{merged}</worksheet>'
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def _state(is_hidden):
    return "hidden" if is_hidden else "visible"


def _row(number, row):
    cells = "".join(
        _cell(f"{chr(65 + place)}{number}", cell)
        for place, cell in enumerate(row)
        if cell is not None
    )
    return f'<row r="{number}">{cells}</row>' if cells else ""


def _cell(at, cell):
    if isinstance(cell, Raw):
        return cell.replace("{at}", at)
    if isinstance(cell, str):
        return f'<c r="{at}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f'<c r="{at}"><v>{cell}</v></c>'
