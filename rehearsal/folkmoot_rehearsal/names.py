"""Names that people of a northern English council may have, commoner ones more often.

The lists are written by hand and the frequencies assumed: the k-th name of a list is drawn with
a chance in proportion to 1 / (k + a constant), about as names in registers are spread. Surnames
have a long tail of made-up ones, as most people have one that few others bear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot_rehearsal.rounding import Floats

Texts = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Community:
    """People whose names come from one tradition.

    Attributes:
        share: Share of households.
        female: Forenames of women and girls, the commonest first.
        male: Forenames of men and boys.
        surnames: Surnames, the commonest first.
        tail: Share of people whose surname is in the long tail.
    """

    share: float
    female: Texts
    male: Texts
    surnames: Texts
    tail: float


def _names(text: str) -> Texts:
    return np.array(text.split(), dtype=np.str_)


def _tail() -> Texts:
    """Surnames as of places in the north of England, made of two parts."""
    first = _names(
        "Ash Birken Black Brad Brier Broad Butter Cald Cart Clay Clough Cold Cowl Crab Cross "
        "Dear Dun Earn Fern Flax Gaw Green Had Halli Hard Hasling Haw Heath Hep Hether Hol Horn "
        "Ingle Kettle Kirk Lang Lea Long Lum Mell Milner Nut Old Oxen Pick Rams Red Ring Rush "
        "Salt Shackle Shuttle Sil Stan Sut Swin Tatter Thorn Tot Under Wad Wal Whit Win Wood "
        "Wool Yel"
    )
    second = _names(
        "bottom brook bury by cliffe croft dale den ey field ford garth ham head hill holme "
        "house hurst ing land ley low man more royd shaw side stall ster thwaite ton wood worth "
        "yard"
    )
    return np.array([a + b for a in first for b in second], dtype=np.str_)


TAIL = _tail()

COMMUNITIES = (
    Community(
        share=0.78,
        female=_names(
            "Margaret Susan Sarah Emma Karen Mary Julie Patricia Jennifer Amelia Olivia "
            "Elizabeth Nicola Claire Amanda Christine Joanne Louise Samantha Deborah Helen Laura "
            "Lisa Rebecca Janet Carol Linda Barbara Jean Dorothy Sophie Emily Chloe Jessica "
            "Grace Isla Ava Lily Mia Ella Isabella Charlotte Hannah Lucy Katie Megan Lauren "
            "Bethany Georgia Holly Amy Kelly Michelle Tracey Sharon Angela Jacqueline Alison "
            "Gillian Diane Lesley Wendy Ann Kathleen Eileen Joan Sheila Doreen Irene Marjorie "
            "Edith Florence Elsie Freya Poppy Evie Daisy Ruby Phoebe Alice Molly Ellie Abigail "
            "Imogen Matilda Rosie Eleanor Harriet Victoria Catherine Rachel Stephanie Natalie "
            "Gemma Stacey Danielle Kimberley Zoe Leanne Kirsty Lynn Maureen Pauline Sylvia "
            "Valerie Brenda Marion Joyce Hazel Rosemary Jane Frances Judith Heather Beverley "
            "Siobhan Theresa Bridget"
        ),
        male=_names(
            "David John Paul James Andrew Mark Michael Stephen Robert Christopher Daniel Thomas "
            "Matthew Peter Jack Oliver George Harry Noah Leo William Joshua Anthony Richard "
            "Kevin Steven Gary Alan Ian Brian Simon Philip Neil Martin Colin Graham Keith "
            "Kenneth Derek Raymond Terence Ronald Geoffrey Barry Roy Dennis Eric Harold Arthur "
            "Stanley Ryan Adam Lee Craig Jason Darren Wayne Carl Stuart Jonathan Benjamin Samuel "
            "Joseph Luke Jake Callum Connor Liam Lewis Nathan Jordan Kieran Aaron Ashley Scott "
            "Dean Shaun Sean Patrick Charlie Alfie Freddie Archie Theodore Henry Arlo Oscar "
            "Jacob Isaac Max Lucas Ethan Logan Mason Harrison Dylan Edward Alexander Timothy "
            "Nicholas Gareth Russell Jeremy Roger Trevor Malcolm Norman Leslie Frank Albert "
            "Ernest Gerald Desmond Vincent"
        ),
        surnames=_names(
            "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson "
            "Walker White Hughes Green Hall Lewis Roberts Edwards Jackson Wood Turner Harris "
            "Clarke Clark Cooper Ward Hill Moore Morris Kelly Shaw Barlow Hilton Howarth Holt "
            "Ogden Schofield Taylor-Webb Whittaker Ashworth Butterworth Kershaw Greenhalgh "
            "Entwistle Crompton Lomax Grimshaw Pilkington Ramsbottom Pickles Clegg Farrow Jagger "
            "Quirk Brennan Murphy Byrne O'Shea O'Brien O'Neill Kennedy Gallagher Doyle Lynch "
            "Walsh Burke Nolan Scott Watson Mitchell Parker Bennett Cook Bailey Carter "
            "Richardson Cox Marshall Collins Bell Miller Richards Ellis Palmer Lloyd Mills "
            "Fisher Barnes Harvey Pearson Graham Fletcher Gibson Simpson Stevens Booth Barker "
            "Holmes Dawson Chadwick Hargreaves Heywood Lees Mellor Openshaw Partington Rigby "
            "Seddon Sutcliffe Tattersall Unsworth Warburton Yates Duffy Smith-Jones Hall-Green "
            "Ward-Lewis Bell-Cooper"
        ),
        tail=0.45,
    ),
    Community(
        share=0.14,
        female=_names(
            "Fatima Aisha Zainab Maryam Khadija Amina Farah Nadia Saima Shazia Rukhsana Nasreen "
            "Samina Sana Hafsa Ayesha Noor Priya Anita Sunita Meera Pooja Rekha Shabana Tahira "
            "Yasmin"
        ),
        male=_names(
            "Mohammed Muhammad Ali Ahmed Imran Hassan Omar Ibrahim Yusuf Bilal Usman Hamza Abdul "
            "Adnan Tariq Asif Khalid Nasir Zahid Rashid Amir Raj Sanjay Vikram Anil Rahul Faisal"
        ),
        surnames=_names(
            "Khan Ahmed Hussain Ali Patel Begum Akhtar Malik Iqbal Mahmood Shah Singh Kaur Miah "
            "Chaudhry Siddiqui Rahman Uddin Hassan Mirza Qureshi Sheikh Bibi Aziz Rashid Sharma "
            "Desai"
        ),
        tail=0.0,
    ),
    Community(
        share=0.08,
        female=_names(
            "Anna Maria Katarzyna Agnieszka Magdalena Ewa Hana Oluwaseun Ngozi Blessing Grace "
            "Adaeze Abena Mei Ling Renée Chloé Zofia Ioana Elena Tatiana Siobhán"
        ),
        male=_names(
            "Piotr Tomasz Bartosz Krzysztof Andrzej Paweł Emmanuel Chukwu Kwame Tunde Ade Wei "
            "Jun José Ion Andrei Mihai Jakub Łukasz Samuel Daniel Michael"
        ),
        surnames=_names(
            "Kowalski Nowak Wiśniewski Wójcik Okafor Adeyemi Mensah Owusu Chen Wong Li Popescu "
            "Ionescu Müller Núñez Dvořák Özdemir Vasquez Umeh Eze Lewandowski Zieliński Bello "
            "Osei"
        ),
        tail=0.0,
    ),
)


def chances(names: Texts, constant: float = 6.0) -> Floats:
    """How often each name is drawn: float64, shape of `names`, never missing; they add up to 1."""
    weights = 1.0 / (np.arange(len(names), dtype=np.float64) + constant)
    shares: Floats = weights / weights.sum()
    return shares
