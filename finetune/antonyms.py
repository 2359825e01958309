"""Words and their opposites, of our own writing, for questions that a paragraph no longer answers.

One line per pair of meanings and form: a word on one side becomes the first word of the other side, and the others
there are its near-synonyms, which must not stand in the paragraph either. Pairs whose two sides have the same answer
("how old", "how young") are for the caller to leave alone.
"""

from __future__ import annotations

PAIRS = """
first earliest | last final latest
last latest | first earliest
final | first initial original
initial original | final last
earliest | latest last
oldest | youngest newest
newest youngest | oldest
older | younger newer
younger | older elder
largest biggest greatest | smallest tiniest least
smallest | largest biggest greatest
larger bigger greater | smaller lesser
smaller | larger bigger greater
large big huge | small tiny little
small | large big
highest tallest | lowest shortest
tallest | shortest smallest
lowest | highest
higher | lower
lower | higher upper
high | low
low | high
longest | shortest briefest
shortest | longest tallest
longer | shorter
shorter | longer
most | least fewest
least fewest | most
more | fewer less
fewer less | more
best | worst poorest
worst | best
better | worse
worse | better
strongest | weakest
weakest | strongest
stronger | weaker
weaker | stronger
strong | weak
weak | strong
fastest quickest | slowest
slowest | fastest quickest
faster quicker | slower
slower | faster quicker
richest wealthiest | poorest
poorest | richest wealthiest
rich wealthy | poor
poor | rich wealthy
hottest warmest | coldest coolest
coldest coolest | hottest warmest
hotter warmer | colder cooler
colder cooler | hotter warmer
hot warm | cold cool
cold cool | hot warm
closest nearest | farthest furthest
farthest furthest | closest nearest
wettest | driest
driest | wettest
heaviest | lightest
lightest | heaviest
heavier | lighter
lighter | heavier
deepest | shallowest
widest | narrowest
easiest | hardest
hardest | easiest softest
cheapest | costliest
busiest | quietest
brightest | darkest dimmest
richer wealthier | poorer
poorer | richer wealthier
before | after following since
after | before prior
prior | subsequent after
following | preceding before previous
previous preceding | following next subsequent
next subsequent | previous preceding before
early | late
earlier | later after
later | earlier before
northern | southern
southern | northern
eastern | western
western | eastern
north | south
south | north
east | west
west | east
northeast | southwest
southwest | northeast
northwest | southeast
southeast | northwest
above | below under beneath
below beneath | above over
inside within | outside beyond
outside | inside within
inner | outer
outer | inner
upper | lower bottom
top | bottom
bottom | top
front | back rear
left | right
internal | external
external | internal
interior | exterior
exterior | interior
indoor | outdoor
outdoor | indoor
increase rise grow | decrease decline reduce drop fall
increases rises grows | decreases declines reduces drops falls
increased | decreased declined reduced dropped fell
increasing rising growing | decreasing declining reducing falling
decrease reduce decline | increase rise grow
decreased reduced declined | increased rose grew
decreasing declining | increasing rising growing
win | lose lost defeat
wins | loses lost
won | lost
winning | losing
lose | win won
lost | won win
losing | winning
winner | loser
winners | losers
loser | winner
victory | defeat
defeat | victory
gain | lose loss
gained | lost
begin start | end finish cease stop conclude final until
began started | ended finished ceased stopped concluded final until
begins starts | ends finishes ceases stops concludes until
beginning | end ending close
end | beginning start begin began
ended | began begin start
ends | begins start
opened | closed shut
open | close shut
closed | opened
close | open
born | dead died death dies
died | born birth
die | live born birth survive
birth | death died
death | birth born
accept | reject refuse
accepted | rejected refused
reject | accept
rejected refused | accepted
allow permit | forbid prohibit ban
allowed permitted | forbidden prohibited banned
allows permits | forbids prohibits bans
forbidden prohibited banned | allowed permitted legal
support | oppose
supported | opposed
supports | opposes
supporters | opponents
oppose | support
opposed | supported favored
opponents | supporters
agree | disagree
agreed | disagreed
include | exclude except
included | excluded except
includes | excludes except
excluded | included
join | leave left
joined | left quit
leave | join enter
enter | leave exit
entered | left exited
arrive | depart leave left
arrived | departed left
import | export
imports | exports
imported | exported
export | import
exports | imports
exported | imported
buy purchase | sell sold
bought purchased acquired | sold
sell | buy purchase bought
sold | bought purchased acquired
build construct | demolish destroy
built constructed | demolished destroyed
destroyed demolished | built rebuilt constructed
create | destroy abolish
created established founded | abolished destroyed dissolved
abolished | created established
add | remove
added | removed
remove | add
removed | added
attack | defend
attacked | defended
defend | attack
defended | attacked
succeed | fail
succeeded | failed
successful | unsuccessful failed
unsuccessful | successful
success | failure failed
failure | success succeed
failed | succeeded
praised | criticized criticised
criticized criticised | praised lauded
love like | hate dislike
loved liked | hated disliked
raise | lower reduce
raised | lowered reduced
advance | retreat
advanced | retreated
encourage | discourage
encouraged | discouraged
encourages | discourages
connected | disconnected separated
visible | invisible hidden
legal | illegal unlawful
illegal | legal lawful
possible | impossible
necessary | unnecessary
common | rare uncommon unusual
rare uncommon | common widespread
popular | unpopular
public | private
private | public
domestic | foreign overseas
foreign | domestic
local | foreign national
urban | rural
rural | urban
modern | ancient traditional
ancient | modern
temporary | permanent
permanent | temporary
male | female
female | male
males | females
females | males
men | women
women | men
man | woman
woman | man
boys | girls
girls | boys
king | queen
queen | king
husband | wife
wife | husband
brother | sister
sister | brother
father | mother
mother | father
son | daughter
daughter | son
majority | minority
minority | majority
maximum | minimum
minimum | maximum
positive | negative
negative | positive
advantage | disadvantage drawback
advantages | disadvantages drawbacks
disadvantage drawback | advantage benefit
disadvantages drawbacks | advantages benefits
friend ally | enemy foe
allies | enemies
enemy | ally friend
enemies | allies
liberal | conservative
conservative | liberal progressive
guilty | innocent acquitted
direct | indirect
indirect | direct
formal | informal
simple | complex complicated
complex | simple
major | minor
minor | major
primary main | secondary minor
secondary | primary
similar | different unlike dissimilar
same | opposite different
different | same identical similar
always | never
usually typically often | rarely seldom
rarely seldom | often usually frequently
with | without
professional | amateur
amateur | professional
wet | dry
dry | wet
thick | thin
thin | thick
dark | bright light
bright | dark dim
day | night
night | day
summer | winter
winter | summer
future | past
healthy | unhealthy sick
safe | dangerous unsafe
dangerous | safe
"""


def _opposites() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in PAIRS.strip().splitlines():
        side, other = (part.split() for part in line.split("|"))
        for word in side:
            table.setdefault(word, tuple(other))
    return table


OPPOSITES = _opposites()
"""Each word in lower case, and its opposites: the one to write first, then what else would mean the same."""
