"""Words and their opposites, of our own writing, and where in a question one may stand for the other.

A line is a word and its opposites. The first opposite is written in the word's place, in the same form; the others mean
about the same, and with any of them in the paragraph it may still answer. Words whose opposite asks the same ("old" in
"how old"), or that are often another part of speech or of a set phrase ("right", "like", "raised"), are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """A word at `question[start:end]` whose opposite may stand in its place."""

    start: int
    end: int
    word: str
    """In lower case."""
    opposite: str
    """As it is to be written."""


_LINES = """
first: last final latest
last: first earliest initial early
final: initial first original early
initial: final last
original: final last
earliest: latest last
latest: earliest first early
oldest: youngest newest
newest: oldest earliest
youngest: oldest eldest
older: younger newer
younger: older elder
largest: smallest tiniest least
biggest: smallest tiniest least
greatest: smallest least tiniest
smallest: largest biggest greatest
larger: smaller lesser
bigger: smaller lesser
greater: lesser smaller
smaller: larger bigger greater
large: small tiny little
big: small tiny little
huge: tiny small little
small: large big huge
tallest: shortest smallest
highest: lowest smallest
lowest: highest
higher: lower
lower: higher upper
high: low
low: high
longest: shortest briefest
shortest: longest tallest
longer: shorter
shorter: longer taller
most: least fewest
least: most
fewest: most
more: less fewer
fewer: more
less: more
best: worst poorest
worst: best
better: worse
worse: better
strongest: weakest
weakest: strongest
stronger: weaker
weaker: stronger
strong: weak
weak: strong
fastest: slowest
quickest: slowest
slowest: fastest quickest
faster: slower
slower: faster quicker
richest: poorest
wealthiest: poorest
poorest: richest wealthiest
rich: poor
wealthy: poor
poor: rich wealthy
hottest: coldest coolest
warmest: coldest coolest
coldest: hottest warmest
hotter: colder cooler
warmer: colder cooler
colder: hotter warmer
cooler: hotter warmer
hot: cold cool
warm: cold cool
cold: hot warm
closest: farthest furthest
nearest: farthest furthest
farthest: nearest closest
furthest: nearest closest
wettest: driest
driest: wettest
heaviest: lightest
lightest: heaviest
heavier: lighter
lighter: heavier
deepest: shallowest
widest: narrowest
easiest: hardest
easier: harder
hardest: easiest softest
harder: easier softer
cheapest: costliest
busiest: quietest
brightest: darkest dimmest
before: after following since
after: before prior
prior: subsequent after
previous: next following subsequent
preceding: following next subsequent
next: previous preceding
subsequent: previous preceding prior
preceded: followed succeeded
followed: preceded
early: late
earlier: later after
later: earlier before
northern: southern
southern: northern
eastern: western
western: eastern
north: south
south: north
east: west
west: east
northeast: southwest
northeastern: southwestern
southwest: northeast
southwestern: northeastern
northwest: southeast
northwestern: southeastern
southeast: northwest
southeastern: northwestern
above: below under beneath
below: above over
beneath: above over
inside: outside beyond
within: outside beyond
outside: inside within
inner: outer
outer: inner
upper: lower bottom
top: bottom
bottom: top
internal: external
external: internal
interior: exterior
exterior: interior
indoor: outdoor
outdoor: indoor
increase: decrease decline reduce drop fall
increases: decreases declines reduces drops falls
increased: decreased declined reduced dropped fell
increasing: decreasing declining reducing falling
decrease: increase rise grow
decreases: increases rises grows
decreased: increased rose grew
decreasing: increasing rising growing
reduce: increase rise grow
reduces: increases rises grows
reduced: increased rose grew
reducing: increasing rising growing
decline: grow rise increase
declined: grew rose increased
declining: growing rising increasing
grow: shrink decline decrease
grew: shrank declined decreased
growing: shrinking declining decreasing
rise: fall decline drop
rises: falls declines drops
rose: fell declined dropped
rising: falling declining
expand: shrink contract
expanded: shrank contracted
expanding: shrinking contracting
win: lose lost defeat
wins: loses lost
won: lost
winning: losing
lose: win won
lost: won win
losing: winning
victory: defeat
defeat: victory won
gain: lose loss
gained: lost
begin: end finish cease stop conclude final until close
began: ended finished ceased stopped concluded final until closed
begins: ends finishes ceases stops concludes until
start: stop end finish cease conclude final until close
started: stopped ended finished ceased concluded final until closed
starts: stops ends finishes ceases concludes until
beginning: end close finish conclusion
end: begin beginning start
ended: began begin start
ends: begins start
opened: closed shut
closed: opened
birth: death died
death: birth born
accept: reject refuse decline
accepted: rejected refused declined
reject: accept
rejected: accepted
refused: accepted agreed
allow: prohibit forbid ban
allows: prohibits forbids bans
allowed: prohibited forbade forbidden banned
permitted: prohibited forbidden banned
forbidden: permitted allowed
prohibited: permitted allowed legal
banned: permitted allowed legal
support: oppose opposition
supported: opposed opposition
supports: opposes
supporters: opponents opposed
oppose: support
opposed: supported favored favoured
opposes: supports
opponents: supporters
agreed: disagreed refused
include: exclude except
included: excluded except
includes: excludes except
excluded: included
join: leave left quit
joined: left quit
leave: join enter
enter: leave exit
entered: left exited
arrive: depart leave left
arrived: departed left
import: export
imports: exports
imported: exported
export: import
exports: imports
exported: imported
buy: sell sold
bought: sold
purchase: sell sold
purchased: sold
sell: buy purchase bought
sold: bought purchased acquired
build: demolish destroy
built: demolished destroyed torn
constructed: demolished destroyed torn
destroy: build rebuild construct
destroyed: built rebuilt constructed
demolished: built constructed
create: abolish destroy
created: abolished destroyed
established: abolished dissolved disbanded
founded: dissolved disbanded abolished
formed: dissolved disbanded
abolished: established created introduced
introduced: abolished withdrawn removed
add: remove
added: removed
remove: add
removed: added
attack: defend
attacked: defended
defend: attack
defended: attacked
successful: unsuccessful failed
unsuccessful: successful
success: failure failed
failure: success succeed
praised: criticized criticised
criticized: praised lauded
criticised: praised lauded
loved: hated disliked
encourage: discourage
encouraged: discouraged
encourages: discourages
connected: disconnected separated
visible: invisible hidden
legal: illegal unlawful
illegal: legal lawful
possible: impossible
impossible: possible
necessary: unnecessary
common: rare uncommon unusual
uncommon: common widespread
rare: common widespread
popular: unpopular
public: private
private: public
domestic: foreign overseas
foreign: domestic
urban: rural
rural: urban
modern: ancient traditional
ancient: modern
temporary: permanent
permanent: temporary
male: female
female: male
males: females
females: males
men: women
women: men
man: woman
woman: man
boys: girls
girls: boys
king: queen
queen: king
husband: wife
wife: husband
brother: sister
sister: brother
brothers: sisters
sisters: brothers
father: mother
mother: father
son: daughter
daughter: son
sons: daughters
daughters: sons
majority: minority
minority: majority
maximum: minimum
minimum: maximum
positive: negative
negative: positive
advantage: disadvantage drawback
advantages: disadvantages drawbacks
disadvantage: advantage benefit
disadvantages: advantages benefits
drawback: advantage benefit
allies: enemies foes
enemy: ally friend
enemies: allies friends
liberal: conservative
conservative: liberal progressive
guilty: innocent acquitted
formal: informal
informal: formal
simple: complex complicated
primary: secondary
secondary: primary
similar: dissimilar different unlike
rarely: often usually frequently
seldom: often usually frequently
with: without
without: with
professional: amateur
amateur: professional
thick: thin
thin: thick
dark: bright light
bright: dark dim
summer: winter
winter: summer
future: past
healthy: unhealthy sick
safe: dangerous unsafe
dangerous: safe
"""


def _opposites() -> dict[str, tuple[str, ...]]:
    lines = (line.split(":") for line in _LINES.strip().splitlines())
    return {word: tuple(others.split()) for word, others in lines}


OPPOSITES = _opposites()
"""Each word in lower case, and its opposites: the one to write first, then what else would mean the same."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMPASS = frozenset(word for word in OPPOSITES if word.startswith(("north", "south", "east", "west")))
_VERBS = _words(
    "accept add allow arrive attack begin build buy create decline defend destroy encourage end enter expand gain grow "
    "include join leave lose oppose purchase reduce reject remove rise sell start support win"
)
"""Words that are turned as verbs only: "the attack" has no opposite."""
_AUXILIARY = re.compile(r"\b(?:to|did|does|do|can|could|would|will|should|must|may|might)\b", re.IGNORECASE)
_NOUN_NEXT = re.compile(
    r"(?:\b(?:the|an?|of|in|for|with|by|on|at|his|her|its|their|which|what)|['’]s) $", re.IGNORECASE
)
_PARTICIPLES = _words("lost won joined entered grew rose began closed followed")
"""Past forms whose opposite does not follow "was"."""
_BE = re.compile(r"\b(?:be|is|are|was|were|been|being|get|got) $", re.IGNORECASE)
_SET_BEFORE = re.compile(
    r"\b(?:how|at|as|named|called|model+ed|patterned|look\w*|took|take|sought"
    r"|help|deal|cope|associated|compared|credited|agree|charged|familiar|filled|along|together|interfere) $",
    re.IGNORECASE,
)
_SET_PHRASE = re.compile(
    r"(?:first|last) names?\b|(?:most|best|better|least|worst) (?:of|known)\b|(?:more|less|rather|fewer) than\b"
    r"|(?:with|without|before|after)(?: (?:what|which|whom|in|at|on|to|by|the year)\b|[?,])|prior to|later(?: on\b|\?)"
    r"|modern[ -]day|(?:summer|winter) (?:and|or)|most (?:people|part|cases)|(?:late|early) (?:in|on)\b"
    r"|with (?:regard|respect)|(?:public|private|high|primary|secondary) school|public domain"
    r"|(?<=in )common|(?:(?<=do )|(?<=did )|(?<=are )|(?<=for )|(?<=in ))most|enter into|hot spring|cold war"
    r"|(?:end|start|build|built) (?:up|out|off|on|upon)\b",
    re.IGNORECASE,
)


def turns(question: str) -> Iterator[Turn]:
    """Return the words of `question` with an opposite that fits in their place, in order.

    Words in names (but for the compass), in set phrases and in compounds are left alone, and so are verbs that may be
    nouns where they stand.
    """
    for match in re.finditer(r"[A-Za-z]+", question):
        word = match.group().lower()
        if word in OPPOSITES and _fits(match, question):
            yield Turn(match.start(), match.end(), word, _in_case_of(match.group(), OPPOSITES[word][0]))


def _fits(match: re.Match[str], question: str) -> bool:
    word, before, after = match.group().lower(), question[: match.start()], question[match.end() :]
    in_a_name = match.group()[0].isupper() and before != "" and word not in _COMPASS
    in_a_compound = before.endswith(("-", "'", "’")) or after.startswith(("-", "'", "’"))
    no_verb = word in _VERBS and (_NOUN_NEXT.search(before) or not _AUXILIARY.search(before))
    no_participle = word in _PARTICIPLES and _BE.search(before)
    set_phrase = _SET_BEFORE.search(before) or _SET_PHRASE.match(question, match.start())
    return not (in_a_name or in_a_compound or no_verb or no_participle or set_phrase)


def _in_case_of(old: str, new: str) -> str:
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.capitalize() if old[0].isupper() else new
