"""Made-up tables and records with questions on them: the name leads to a row, the heading to a column, both to a cell.

Annotated questions are asked of running text; from them nothing learns to read across and down. Names, headings and
values are drawn at random, so that there is nothing to know but how a table is read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from finetune.copying.examples import Copy, Example

Draw = Callable[[random.Random], str]


def _whole(low: int, high: int, unit: str = "") -> Draw:
    return lambda chance: f"{chance.randint(low, high):,}{unit}"


def _decimal(high: float, digits: int, unit: str = "") -> Draw:
    return lambda chance: f"{chance.uniform(0, high):.{digits}f}{unit}"


def _one_of(words: str) -> Draw:
    options = [word.strip() for word in words.split(",")]
    return lambda chance: chance.choice(options)


def _joined(first: str, last: str, between: str = "") -> Draw:
    """Draw a name of two parts."""
    one, other = _one_of(first), _one_of(last)
    return lambda chance: one(chance) + between + other(chance)


_MONTHS = "January,February,March,April,May,June,July,August,September,October,November,December"


def _date(chance: random.Random) -> str:
    day, year = chance.randint(1, 28), chance.randint(1950, 2030)
    if chance.random() < 0.4:
        return f"{year}-{chance.randint(1, 12):02}-{day:02}"
    return f"{day} {chance.choice(_MONTHS.split(','))} {year}"


def _time(chance: random.Random) -> str:
    return f"{chance.randint(5, 23)}:{chance.randint(0, 59):02}"


def _year(chance: random.Random) -> str:
    return str(chance.randint(1850, 2030))


_person = _joined(
    "Ada,Bela,Clara,Dario,Edda,Farid,Gerd,Hilde,Imre,Jonna,Karim,Lotte,Mara,Nils,Oona,Petra,Rasmus,Selma,Tomas,Yuki",
    "Ahlers,Brandt,Castell,Dunne,Eriksen,Farrow,Gruber,Hale,Iversen,Jansen,Kessler,Lind,Moreau,Novak,Okafor,Pell,Rossi",
    " ",
)
_town = _joined(
    "Al,Bren,Cor,Dun,Els,Fal,Gren,Hol,Kel,Mor,Nor,Ost,Pel,Rav,Sten,Tor,Wel",
    "ford,haven,bridge,mouth,wick,ton,berg,field,dale",
)
_code = _joined("A,B,K,LX,M,R,T,VX,Z", "1,2,3,7,12,15,24,35,48,60,112,240,500", "-")
_make = _joined(
    "Aster,Borealis,Condor,Delta,Ember,Falcon,Gannet,Heron,Ibis,Kite,Lynx,Marlin,Orca,Puma,Rook,Swift",
    "2,3,5,7,10,24,40,100,S,XL,Pro,Mini",
    " ",
)
_book = _joined(
    "The Long,A Short,The Lost,Under the,Beyond the,My First", "Winter,Garden,Bridge,Letters,River,Orchard", " "
)
_ship = _joined("Northern,Golden,Silent,Royal,Little,Western", "Star,Wave,Dawn,Heron,Anna,Venture", " ")
_goods = _joined("brass,steel,copper,oak,linen,rubber,glass,paper", "valve,bolt,pipe,board,sheet,seal,bottle", " ")
_company = _joined("North,Quill,Hart,Green,Iron", "moor,stone,well,field,side")


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    draw: Draw
    asked: str
    """Questions, divided by "/"; `{}` is the row's name."""


@dataclass(frozen=True, slots=True)
class _Topic:
    kind: str
    """Heading of the rows' names."""
    name: Draw
    columns: tuple[_Column, ...]


_C = _Column
_TOPICS = (
    _Topic("machine", _make, (
        _C("flow", _whole(2, 900, " litres per minute"), "What is the flow of the {}?/How much does the {} pump?"),
        _C("cost", _whole(40, 9000, " euros"), "What does the {} cost?/How expensive is the {}?"),
        _C("weight", _decimal(90, 1, " kg"), "How heavy is the {}?/What does the {} weigh?"),
        _C("voltage", _whole(5, 400), "At how many volts does the {} run?/What voltage does the {} need?"),
        _C("service interval", _whole(6, 60, " months"), "How often is the {} serviced?"),
        _C("maker", _company, "Who makes the {}?/Which company makes the {}?"),
        _C("colour", _one_of("red,green,dark blue,grey,white,black"), "What colour is the {}?"),
    )),
    _Topic("person", _person, (
        _C("post", _one_of("editor,translator,cook,technician,driver"), "What is the post of {}?/What does {} do?"),
        _C("born", _date, "When was {} born?/On which day was {} born?"),
        _C("room", _code, "In which room is {}?/Which room does {} sit in?"),
        _C("hours", _whole(5, 40), "How many hours does {} work?/For how many hours is {} there?"),
        _C("instrument", _one_of("violin,piano,flute,harp,drums"), "Which instrument does {} play?"),
        _C("extension", _whole(100, 999), "What is the telephone extension of {}?"),
        _C("town", _town, "Where does {} live?/In which town does {} live?"),
    )),
    _Topic("book", _book, (
        _C("author", _person, "Who wrote {}?/Who is the author of {}?"),
        _C("pages", _whole(40, 1400), "How many pages does {} have?/How long is {}?"),
        _C("printed", _year, "When was {} printed?/In which year did {} appear?"),
        _C("publisher", _company, "Who published {}?/Which company published {}?"),
        _C("borrowed", _whole(0, 900), "How many times was {} borrowed?/How often was {} borrowed?"),
        _C("shelf", _code, "On which shelf is {}?/Where does {} stand?"),
        _C("binding", _one_of("paper,cloth,leather,boards"), "How is {} bound?/What is the binding of {}?"),
    )),
    _Topic("ship", _ship, (
        _C("built", _year, "When was the {} built?/In which year was the {} built?"),
        _C("length_m", _decimal(200, 1), "How long is the {}?/How many metres long is the {}?"),
        _C("crew", _whole(2, 900), "How many people sail on the {}?/How large is the crew of the {}?"),
        _C("captain", _person, "Who commands the {}?/Who is the captain of the {}?"),
        _C("home port", _town, "Where is the {} at home?/What is the home port of the {}?"),
        _C("cargo", _one_of("timber,grain,oil,coal,fruit,none"), "What does the {} carry?"),
        _C("fate", _one_of("sold,sunk,still sailing,broken up,missing"), "What became of the {}?"),
    )),
    _Topic("sample", _code, (
        _C("mass_g", _decimal(90, 2), "How many grams does {} weigh?/What is the mass of sample {}?"),
        _C("acidity", _decimal(14, 1, " pH"), "How acid is {}?/What acidity was measured in sample {}?"),
        _C("taken", _date, "When was {} taken?/On which day was sample {} taken?"),
        _C("site", _town, "Where was {} taken?/From which site does {} come?"),
        _C("share_of_sand", _whole(1, 99, "%"), "How much sand is in {}?/What share of {} is sand?"),
        _C("finding", _one_of("clean,traces of lead,too dry,spoilt,to be repeated"), "What was found in {}?"),
    )),
    _Topic("station", _town, (
        _C("inhabitants", _whole(200, 2000000), "How many people live in {}?/What is the population of {}?"),
        _C("founded", _year, "When was {} founded?/In what year was {} founded?"),
        _C("height", _whole(1, 2900, " m"), "How high does {} lie?/What is the altitude of {}?"),
        _C("mayor", _person, "Who is the mayor of {}?/Who governs {}?"),
        _C("river", _joined("Ar,Bel,Cam,Der,Esk,Lun,Tav,Wen", "e,ow,ar,in,a"), "On which river does {} lie?"),
        _C("rainfall", _decimal(2000, 0, " mm"), "How much rain falls in {}?"),
        _C("next train", _time, "When does the next train leave {}?"),
    )),
    _Topic("article", _goods, (
        _C("quantity", _whole(1, 4000), "How many of the {} were ordered?/What quantity of the {} is there?"),
        _C("customer", _person, "Who ordered the {}?/For whom is the {}?"),
        _C("delivered", _date, "When was the {} delivered?"),
        _C("discount", _whole(1, 60, " per cent"), "How large is the discount on the {}?"),
        _C("colour", _one_of("red,green,dark blue,grey,white,black"), "What colour is the {}?"),
        _C("state", _one_of("sent,paid,late,returned,lost"), "In what state is the order of the {}?"),
    )),
    _Topic("property", _one_of("length,width,height,weight,volume,pressure,speed,range,thickness,radius"), (
        _C("value", _decimal(10, 3), "What value does the {} have?/What was the {}?/How much is the {}?"),
        _C("readings", _whole(2, 30), "How many readings of the {} were taken?"),
        _C("observer", _person, "Who measured the {}?"),
        _C("day", _date, "When was the {} measured?"),
    )),
)  # fmt: skip


def tables(count: int, chance: random.Random) -> Iterator[Example]:
    """Yield `count` examples; a quarter ask for a row or a column that the table does not have, and are refused."""
    for _ in range(count):
        yield _example(chance)


def _example(chance: random.Random) -> Example:
    topic = chance.choice(_TOPICS)
    columns = chance.sample(topic.columns, chance.randint(1, len(topic.columns)))
    names = list(dict.fromkeys(topic.name(chance) for _ in range(chance.randint(3, 14))))
    cells = [[column.draw(chance) for column in columns] for _ in names]
    text, places = chance.choice((_bars, _bars, _records))(topic.kind, names, columns, cells, chance)
    kind = chance.random()
    if kind < 0.12 and len(names) > 2:  # a row that is not there
        gone = names.index(chance.choice(names))
        text, places = _bars(
            topic.kind, names[:gone] + names[gone + 1 :], columns, cells[:gone] + cells[gone + 1 :], chance
        )
        return Example(_asked(chance.choice(columns), names[gone], chance), (("", text),), ())
    absent = [column for column in topic.columns if column not in columns]
    if kind < 0.25 and absent:
        return Example(_asked(chance.choice(absent), chance.choice(names), chance), (("", text),), ())
    row, at = chance.randrange(len(names)), chance.randrange(len(columns))
    if kind > 0.85 and [line[at] for line in cells].count(cells[row][at]) == 1 and topic.kind != "property":
        question = f"Which {topic.kind} has {cells[row][at]} as its {_spoken(columns[at].heading)}?"
        return Example(question, (("", text),), (Copy(((0, *places[row][0]),)),))
    return Example(_asked(columns[at], names[row], chance), (("", text),), (Copy(((0, *places[row][at + 1]),)),))


def _asked(column: _Column, name: str, chance: random.Random) -> str:
    if chance.random() < 0.25:
        return f"What is the {_spoken(column.heading)} of {name}?"
    return chance.choice(column.asked.split("/")).format(name)


def _spoken(heading: str) -> str:
    return heading.replace("_", " ")


_Laid = tuple[str, list[list[tuple[int, int]]]]
"""A table as text, and where each cell of each row stands in it: first the name."""


def _bars(
    kind: str, names: Sequence[str], columns: Sequence[_Column], cells: Sequence[Sequence[str]], chance: random.Random
) -> _Laid:
    """Lay it out as Markdown and the readers of documents do."""
    outer = chance.random() < 0.7
    text = ""
    if chance.random() < 0.4:
        text = f"The {'table' if chance.random() < 0.5 else 'list'} gives what is known of each {_spoken(kind)}.\n\n"
    start, end = ("| ", " |\n") if outer else ("", "\n")
    text += start + " | ".join([kind, *(column.heading for column in columns)]) + end
    if outer:
        text += "|" + "---|" * (len(columns) + 1) + "\n"
    places = []
    for name, row in zip(names, cells, strict=True):
        text += start
        line = []
        for number, cell in enumerate((name, *row)):
            text += " | " * (number > 0)
            line.append((len(text), len(text) + len(cell)))
            text += cell
        places.append(line)
        text += end
    return text.rstrip("\n"), places


def _records(
    kind: str, names: Sequence[str], columns: Sequence[_Column], cells: Sequence[Sequence[str]], chance: random.Random
) -> _Laid:
    """Lay it out as the reader of delimited values does: "heading: value; heading: value", a line a row."""
    first = chance.randint(0, min(1, len(columns)))  # the name comes first or second
    text, places = "", []
    for name, row in zip(names, cells, strict=True):
        order = [(column.heading, cell) for column, cell in zip(columns, row, strict=True)]
        order.insert(first, (kind, name))
        line: list[tuple[int, int]] = []
        for number, (heading, cell) in enumerate(order):
            text += "; " * (number > 0) + f"{heading}: "
            line.append((len(text), len(text) + len(cell)))
            text += cell
        line.insert(0, line.pop(first))
        places.append(line)
        text += "\n"
    return text.rstrip("\n"), places
