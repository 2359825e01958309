"""What a question asks for: the form of its answer, what it is about, and what it takes for granted. No model.

The form is read off the question's words. Question words are known in English, German and French; a question in
another language is taken for one that asks for a fact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.sentences import sentences
from rag.types import Form

LOOKED_AT = 400
"""Characters of a question that are looked at: some patterns are tried from every place to every other."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, taken apart."""

    question: str
    form: Form
    kind: str = ""
    """A finer word for the form: "definition", "why", "which" of documents, the name of a field."""
    subject: str = ""
    """What a definition or an overview is asked of; "" where the words do not tell."""


_I = re.IGNORECASE
_AUXILIARY = (
    r"is|are|was|were|am|do|does|did|can|could|may|might|must|should|shall|has|have|had|will|would|isn['’]t|aren['’]t"
    r"|doesn['’]t|don['’]t|didn['’]t|can['’]t|won['’]t|wasn['’]t|weren['’]t"
)
_GERMAN_WHAT = (
    r"was (?:ist|sind|bedeutet|heißt|versteht|kostet|macht|passiert|muss|müssen|kann|können|soll|darf|wird|gilt"
    r"|steht)\b"
)
"""It begins like the English "was it", and asks for no yes or no."""
_YES_NO = re.compile(
    rf"^(?:(?:so|and|but|ok|hey|then|or|in [^,?]{{2,40}},|for [^,?]{{2,40}},"
    rf"|if [^,?]{{2,60}},)\s+)?(?!{_GERMAN_WHAT})(?:{_AUXILIARY})"
    r"\s+(?!what|who|how|which|you (?:know|tell|explain|list))\S"
    r"|^[^?]{3,80}, (?:is|are|was|were|do|does|did|can|could|may|must|should|has|have|will)"
    r" (?:i|you|he|she|it|we|they|there|this|that)\b"
    r"|^(?:darf|dürfen|kann|können|muss|müssen|ist|sind|war|waren|gibt es|hat|haben|wird|werden|soll|sollen|gilt"
    r"|brauche)\s+\S"
    r"|^(?:est-ce que|peut-on|faut-il|y a-t-il|doit-on|dois-je|puis-je|a-t-on|\w+-t-(?:il|elle|on)\b)"
    r"|\b(?:allowed|permitted|possible|required|mandatory|compulsory|legal) or not\b|\byes or no\b",
    _I,
)
_EITHER_OR = re.compile(
    r"\b(?P<article>an?|the) (?:\w+ ){1,2}?or (?P=article) \w+"
    r"|\d[\w:.%]*(?: \w+)? or (?:\w+ )?[$€£]?\d|\w+ly or \w+ly\b"
    r"|\b(?:before or after|left or right|inside or outside|indoors or outdoors|open or (?:closed|shut)|free or paid"
    r"|optional or (?:mandatory|required|compulsory)|(?:mandatory|required|compulsory) or optional"
    r"|public or private|private or public|on or off|up or down|more or less than|older or newer|online or offline"
    r"|(?:north|east) or (?:south|west)|weekdays? or weekends?|gross or net|net or gross|hot or cold|wet or dry)\b",
    _I,
)
"""What a question leaves to choose: "Is it a rule or a recommendation?" is answered by neither yes nor no."""
_COMPARISON = re.compile(
    r"\bdiff?er[ea]?nces?\b.*\bbetween\b|\bdiffer(?:s|ent)?\b.*\b(?:from|between|than|to|and)\b|\bvs\.?\b|\bversus\b"
    r"|^compar(?:e|ing|ison)\b|\bcompared (?:to|with)\b|\bhow do(?:es)? .* compare\b"
    r"|\bdistinguish|\bdistinction between\b|\bas opposed to\b|\bhow do(?:es)?\b.*\bdiffer\b|\bdiffer\b|\bin contrast\b"
    r"|\bunterschied|\bdifférence|\bvergleich|\bboth\b.*\bcommon\b|\bin common\b"
    r"|\bwh(?:ich|o|at)\b.*?\b(?:\w+er|more|less|first|better|worse|most)\b[,:]?\s+(?!or\b)[^?]*\bor\s",
    _I,
)
_WHY = re.compile(
    r"^(?:(?:so|and|but|then)\s+)?why\b|\bwhy (?:is|are|was|were|do|does|did|can|should|not|has|have|would)\b"
    r"|\bwhat(?:['’]s| is| was| are| were)? the (?:reasons?|cause|motivation|rationale|point)\b"
    r"|\breasons? (?:for|why|behind|that|\w+)\b|\bhow come\b|\bwhy isn['’]?t\b|\bwhy aren['’]?t\b"
    r"|\bwhat (?:caused|made|makes|led|causes)\b|\bwarum\b|\bwieso\b|\bweshalb\b|\bpourquoi\b|\bbecause of what\b",
    _I,
)
_STEPS = re.compile(
    r"^(?:(?:so|and|but|then|ok)\s+)?how (?:do|does|can|could|should|would|might|to|must|would)\b"
    r"|\bhow (?:do|can|should|could) (?:i|we|you|one|people|users?|someone|somebody)\b"
    r"|\bhow to\b|\bsteps (?:to|for)\b|\binstructions?\b (?:to|for)\b|\bprocedure (?:to|for)\b|\bway to\b"
    r"|^what (?:do|should|must) (?:i|we|you) do\b"
    r"|\bwie (?:kann|können|muss|soll|mache?|wird|werden|geht|füge|stelle|bekomme|erhalte|melde|beantrage)\b"
    r"|\bcomment\b",
    _I,
)
_IMPERATIVE = re.compile(
    r"^(?:add|apply|build|change|check|clean|configure|convert|copy|create|define|delete|disable|download|enable"
    r"|exclude|export|fix|format|generate"
    r"|get|import|insert|install|load|loop|make|merge|move|open|print|put|read|register|remove|rename|replace|report"
    r"|reset|restore|run|save|send|set|set up"
    r"|setup|sort|start|stop|submit|switch|turn|uninstall|update|upgrade|use|write|abort|avoid|combine|connect"
    r"|apply for|book|cancel|order|renew|repair|return)\s+(?!of\b|what\b|x\b)\w",
    _I,
)
_DEFINITION = re.compile(
    r"^(?:(?:so|and|but|then|ok|in [^,?]{2,40},|hey)\s+)?(?:"
    r"(?:what|who)(?:['’]s|\s+(?:is|are|was|were)|\s+exactly (?:is|are))\s+(?:meant by\s+|understood by\s+)?(?P<is>.+)"
    r"|(?:what\s+(?:do|does|did)\s+)(?:(?:\w+\s+){0,3}mean by\s+(?P<by>.+)"
    r"|(?:an?\s+|the\s+)?(?P<mean>.+?)\s+(?:mean|stand for|refer to|denote|do)\b.*)"
    r"|what\s+(?:exactly\s+)?(?:counts as|qualifies as|makes)\s+(?P<counts>.+)"
    r"|define\s+(?P<define>.+)|definition of\s+(?P<of>.+)|meaning of\s+(?P<meaning>.+)"
    r"|(?:please\s+)?(?:explain|describe)\s+(?P<explain>.+)"
    r"|was (?:ist|sind|bedeutet|heißt|versteht man unter)\s+(?P<was>.+)|qu['’]est-ce qu(?:e\s+|['’])(?P<que>.+)"
    r")$",
    _I,
)
_DEFINED = re.compile(
    r"^(?P<a>.+?)(?:\s+-\s+what is it|\s+definition|\s+meaning(?:\s+\w+)?|\s+explained|,? what is (?:it|that)"
    r"|,? what does (?:it|that) mean)$"
    r"|\bwhat(?:['’]s| is| does it mean)\b.*\bmeant by\s+(?P<b>.+)"
    r"|\bwhat does it mean (?:for|when|if|to)\s+(?P<c>.+)|\bwhat does (?:an?\s+|the\s+)?(?P<d>.+?)\s+(?:mean"
    r"|stand for)\b",
    _I,
)
_OVERVIEW = re.compile(
    r"\bwhat(?:['’]s| is| are| was)\b(?P<a>.+?)\b(?:all )?about\s*$|\bsummar(?:y|ise|ize|ies)\b(?:\s+of)?(?P<b>.*)"
    r"|\boverview\b(?:\s+of)?(?P<c>.*)|\btl;?dr\b(?P<d>.*)|\bgist of\b(?P<e>.*)"
    r"|(?P<f>.+?)\b(?:in a few|in two|in one|in three|in short) (?:sentences?|words?|lines?)"
    r"|\bmain (?:points?|ideas?|topics?|message|argument)s? (?:of|in)\b(?P<g>.*)"
    r"|\bwhat does (?P<h>.+) (?:cover|deal with|discuss|want to achieve|propose)\b"
    r"|\bworum geht\b(?P<i>.*)|\bzusammenfassung\b(?P<j>.*)|\bresum[eé]\b(?P<k>.*)|\brésum\w+\b(?P<l>.*)"
    r"|\bwhat is in this (?:collection|folder)\b|\bwhat are these (?:documents|files) about\b"
    r"|\bwhat kind of document is\b(?P<m>.*)"
    r"|\bpurpose of\b(?P<n>.*)|\bgoal of\b(?P<o>.*)|\bwhat do .{2,60} (?:deal with|talk about)\b"
    r"|\bbrief(?:ly)?\b.*\bdescri\w+\b(?P<p>.*)|\btell me about\b(?P<q>.*)"
    r"|^(?P<r>.+?),? in short$|^in short,?\b(?P<s>.*)|\btell me (?:in short|briefly)\b(?P<t>.*)"
    r"|(?P<u>.+?) in a nutshell\b",
    _I,
)
_DOCUMENTS = (
    r"(?:files?|documents?|articles?|papers?|notes?|pages?|chapters?|modules?|peps?|reports?|mails?|emails?"
    r"|messages?|policies|policy|minutes|contracts?|letters?"
    r"|dokumente?n?|dateien?|fichiers?|documents)"
)
_ITS_PARTS = (
    r"(?:pages?|chapters?|articles?|notes?|minutes|letters?|messages?) "
    r"(?:has|had|does|did|(?:is|are|were) (?:there )?in|in|of) (?:the|this|that|it|a|an)\b"
    r"(?! (?:\w+ )?(?:folder|collection|archive|library)\b)"
)
"""What one document has: its pages are counted in it."""
_COUNT = re.compile(
    rf"\bhow many (?:of )?(?:(?:the|these|my|our|those|other)\s+)?(?:\w+\s+){{0,2}}?(?!{_ITS_PARTS}){_DOCUMENTS}\b"
    r"|\bhow many (?:\w+\s+){1,4}(?:do i have|are (?:there )?in (?:my|this|the|our) (?:folder|collection|library"
    r"|archive)|have i got)\b"
    rf"|\bwhich (?:of (?:the|these|my|our)\s+)?(?:\w+\s+){{0,2}}?{_DOCUMENTS}\b"
    r"(?! (?:(?:do|must|should|can|could|may|will|shall|would) (?:i|we|you|one|they)|are (?:needed|required))\b)"
    rf"|\b(?:list|name|show|find)\b (?:me )?(?:all|every|the|each)\s+(?:of\s+)?(?:(?:the|my"
    rf"|our)\s+)?(?:\w+\s+){{0,3}}?{_DOCUMENTS}\b"
    rf"|\bin (?:which|what|how many) {_DOCUMENTS}\b|\b{_DOCUMENTS} (?:that|which|by|from|written by|mention\w*"
    rf"|about)\b.*\b(?:list|all)\b"
    rf"|\bwieviele? .*{_DOCUMENTS}|\bwelche .*(?:dokumente|dateien)"
    rf"|\bquels (?:documents|fichiers) (?:parle|mentionne|cite|traite|décri|contien|concerne)\w*",
    _I,
)
_LIST = re.compile(
    r"\blist (?:all|the|of|every|some|me)\b|^list\b|\blist$|\bname (?:all|the|three|four|five|some)\b"
    r"|\bgive me (?:the|all) (?:\w+\s)?names\b"
    r"|\bwhat (?:are|were) (?:all |the |some |its |their )?(?:\w+\s+){0,4}?\w+s\b"
    r"|\b(?:which|what) (?:other |the )?(?:\w+\s+){0,2}?(?!\w*(?:ss|us|is)\b|this\b|was\b|does\b|has\b|happens\b"
    r"|makes\b|means\b|takes\b|gives\b|needs\b|comes\b|goes\b|says\b|holds\b|keeps\b|replaces\b|controls\b|lets\b"
    r"|uses\b|counts\b)(?:\w{3,}s|people|children|criteria|data|men|women)\s+"
    r"(?!is\b|was\b|has\b|of the\b|(?!does\b)\w+s\b)\w"
    r"|\bwhich ones\b|\bwhich (?:\w+\s+){0,3}?are there\b"
    r"|\b(?:types|kinds|sorts|examples|names|steps|stages|phases|parts|members|features|criteria|conditions"
    r"|requirements|ingredients|items|reasons"
    r"|advantages|benefits|options|rules|principles|components|categories|signs|zones|branches|classes|constants"
    r"|functions|values|theories|symptoms|goals|islands|ideas) (?:of|for|in|are|that|to)\b"
    r"|\bwhat (?:do|must|should|can) (?:i|we|you|one) (?:have to |need to )?(?:check|bring|pack|include|provide|send"
    r"|know|do|get|use)\b"
    r"|\bwelche\b|\bquels\b|\bquelles\b|\bwhat all\b|\bwhat else\b|\ban wen\b|\bwem\b"
    r"|^(?:the |main |some |all )?(?:two|three|four|five|six|seven|eight|nine|ten"
    r"|\d+)? ?(?:\w+[\s-]){0,3}?\w+s(?: (?:of|for|in) .+)?$"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve) (?:\w+\s){0,2}\w+s\b",
    _I,
)
_HOW_MUCH = re.compile(r"\bhow (?:many|much|long|often|far|old|large|big|high|fast|tall)\b", _I)
_ONE = re.compile(
    r"^(?:since |until |by |from |(?:so|and|but|then) )*(?:when|where|whose"
    r"|who(?! (?:are|were|all|else|(?:is|was) (?:in|on|among|part of))\b))\b"
    r"|^(?:which|what) (?:\w+ )?(?:service|tool|command|function|method|module|option|setting|flag|file|library|package"
    r"|program|company|organi[sz]ation|person|team|country|city|state|law|act|rule|section|chapter|word|term|unit|class"
    r"|form|department|part|number|ending|animal|language|king|president)"
    r" (?!(?:names|types|kinds|parts|files|classes|numbers|settings|options|rules|members)\b)(?:do\b|can\b|\w+s\b)"
    r"|^(?:so |and |but |then )?what (?:do|does|did|will|would|is|are|was|were)\b.*"
    r"\b(?:cost|charged?|budgeted|priced|worth|weigh)(?: at| for)?$",
    _I,
)
"""A question for one thing, whatever plurals it holds: "Who took the minutes of ...?", "Which tool finds errors?"."""
_FIELDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "author",
        re.compile(
            r"\bwho (?:wrote|authored|is the author|are the authors|has written|published|drafted|created|signed"
            r"|compiled|is behind|edited)\b|\bauthors?\b|\bwritten by\b|\bautor\w*\b"
            r"|\bwer hat\b.*\b(?:ge|ver|unter)(?:schrieben|fasst|zeichnet)\b"
            r"|\bauteure?s?\b|\bqui a (?:écrit|rédigé|signé|publié)\b",
            _I,
        ),
    ),
    ("from", re.compile(r"\bwho (?:sent|mailed|emailed)\b|\bsender of\b|\bmail (?:from|by) whom\b", _I)),
    ("to", re.compile(r"\b(?:to whom|who received|recipients?)\b", _I)),
    ("sponsor", re.compile(r"\bsponsor(?:s|ed)?\b", _I)),
    ("maintainer", re.compile(r"\bmaintain(?:er|s|ed)\b", _I)),
    (
        "date",
        re.compile(
            r"\b(?:when|what date|which date|what day|date|from which date|which year|what year)\b.*\b(?:published"
            r"|written|created|last (?:changed|updated|modified|edited|revised|reviewed)|updated|released?|come out"
            r"|came out|dated|issued|handbook|document|page|letter|paper|report|sent|approved|signed|adopted"
            r"|effective)\b|\brelease date\b|\bdate of\b|\bcreated on\b|\bvon wann\b|\bstand der\b|\bde quand date\b",
            _I,
        ),
    ),
    (
        "version",
        re.compile(
            r"\b(?:which|what|current|latest) (?:\w+\s+)?version\b|\bversion (?:of|number|is)\b"
            r"|\bin which (?:\w+\s+)?version\b",
            _I,
        ),
    ),
    ("status", re.compile(r"\bstatus\b|\b(?:is|was) .* (?:accepted|final|rejected|draft|withdrawn|deferred)\b", _I)),
    (
        "licence",
        re.compile(
            r"\b(?:which|what|under a|same) licen[cs]es?\b|\blicen[cs]e (?:of|for|does|is|has|type)\b"
            r"|(?<!\ba )(?<!\bany )(?<!\w\wing )\blicen[cs]e$|\blicen[cs]ed (?:under|as|how)\b|\blizenz\b",
            _I,
        ),
    ),
    ("title", re.compile(r"^what(?:'s| is) the title of\b", _I)),
)
_END = " ?.!,;:"
_TOPIC = re.compile(r"^[^:?]{1,60}:\s+(?=\w)")
"""What `rag.following` puts before a question that leaves out what it is about: "ferry: may dogs come aboard"."""
_SMALL = re.compile(
    r"^(?:an?|the|some|any|exactly|this|that|these|those|really|actually|of|der|die|das|ein|eine|le|la|les|un|une"
    r"|l['’])\s+",
    _I,
)
_PLAIN = re.compile(r"^[\w'’.+#/-]+(?: [\w'’.+#/-]+){0,2}$")
_QUESTION_WORD = re.compile(
    r"\b(?:who|whom|whose|what|when|where|which|why|how|wer|wen|wem|was|wann|wo|welche[rsnm]?|warum|wie|wieviel|qui"
    r"|quand|où|combien|quel(?:le)?s?|comment|pourquoi)\b",
    _I,
)


def asked(question: str) -> Asked:
    """Return what `question` asks for."""
    text = looked_at(question)
    form, kind, subject = _form(text)
    if form == "fact" and not kind and _TOPIC.match(text):
        form, kind, subject = _form(_TOPIC.sub("", text))
    return Asked(question, form, kind, _subject(subject))


def looked_at(question: str) -> str:
    """Return a question without the mark at its end; of a long one the last sentence, which is what asks."""
    text = " ".join(question.split())
    if len(text) > LOOKED_AT:
        start, end = sentences(text)[-1]
        text = text[start:end][:LOOKED_AT]
    return text.rstrip(_END)


def _form(text: str) -> tuple[Form, str, str]:
    if _COUNT.search(text):
        return "count", "how many" if re.search(r"\bhow many\b|\bwieviel|\bcombien", text, _I) else "which", ""
    if match := _OVERVIEW.search(text):
        return "overview", "", next((group for group in match.groups() if group), "")
    if _COMPARISON.search(text):
        return "comparison", "", ""
    if _YES_NO.search(text):
        return "fact" if _EITHER_OR.search(text) else "yes-no", "", ""
    if _WHY.search(text):
        return "explanation", "why", ""
    if not _HOW_MUCH.search(text) and (field := next((name for name, pattern in _FIELDS if pattern.search(text)), "")):
        return "field", field, ""
    if match := _DEFINED.search(text):
        return "explanation", "definition", next(group for group in match.groups() if group)
    if (match := _DEFINITION.match(text)) and (subject := _defined(match)):
        return "explanation", "definition", subject
    if _STEPS.search(text) or _IMPERATIVE.match(text):
        return "steps", "", ""
    if _LIST.search(text) and not _ONE.search(text) and not _HOW_MUCH.search(text):
        return "list", "", ""
    if not _QUESTION_WORD.search(text) and _PLAIN.match(text):
        return "fact", "keywords", text
    return "fact", "", ""


def _defined(match: re.Match[str]) -> str:
    """Return what is to be defined; "" where the question asks for a property of something."""
    name, subject = next((name, value) for name, value in match.groupdict().items() if value)
    bare = _subject(subject)
    if name not in ("is", "was", "que", "explain", "mean"):
        return bare
    if name == "mean" and len(bare.split()) > 5:
        return ""
    if match[0].casefold().startswith("who"):
        return ""
    article = re.match(r"(?:the|der|die|das|le|la|les)\s", subject.strip(), _I)
    if article and re.match(r"what(?:['’]re| are| were)\b", match[0], _I):
        return ""  # "What are the opening hours?" asks which they are
    if re.search(
        r"\b(?:of|for|to|at|on|by|from|with|that|which|than|when|where|per|between|called|named|like|used|do|made"
        r"|due|most|best|largest|highest|biggest|smallest|longest|first|last|name|number|maximum|minimum|total|price"
        r"|cost|size|rate|default|capital|colou?r|limit|deadline|address|current)\b",
        bare,
        _I,
    ):
        return ""
    return "" if article and len(bare.split()) > 4 else bare


def _subject(text: str) -> str:
    bare = text.rstrip(_END).strip(" \"'“”‘’`")
    while match := _SMALL.match(bare):
        bare = bare[match.end() :]
    bare = re.sub(r"^(?:short |brief |quick )?(?:summary|overview) (?:of|on) ", "", bare)
    return bare.strip(" \"'“”‘’`")
