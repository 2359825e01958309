"""Tells which language a text is in, with langdetect (naive Bayes on character n-grams; Shuyo 2010), seeded."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

from finetune.extras import needed

UNKNOWN = "unknown"
"""The language of a text that is too short to tell, or that the detector finds nothing in."""
LEAST = 60
"""Characters below which a language is not guessed."""
_SAMPLE = 700
"""Characters of each of three samples; more changes nothing, and costs time."""
_NOISE = re.compile(r"\S*[/@_\d]\S*|`[^`\n]*`")


class Languages:
    """Detects languages by their ISO 639-1 codes, "zh-cn" and "zh-tw" apart. Raises UsageError without langdetect."""

    def __init__(self) -> None:
        factory: Any = needed("langdetect.detector_factory", "Telling languages apart")
        self._factory = factory.DetectorFactory()
        profiles = [each for each in files("langdetect").joinpath("profiles").iterdir() if each.is_file()]
        profiles.sort(key=lambda each: each.name)  # in another order it would sum its probabilities in another order
        self._factory.load_json_profile([each.read_text(encoding="utf-8") for each in profiles])
        self._failure = needed("langdetect.lang_detect_exception", "Telling languages apart").LangDetectException

    def known(self) -> set[str]:
        """Return the codes it can tell."""
        return set(self._factory.get_lang_list())

    def language(self, text: str) -> str:
        """Return the language of a text's beginning, middle and end; UNKNOWN where it cannot be told."""
        last = max(0, len(text) - _SAMPLE)
        places = sorted({0, last // 2, last})
        sample = _NOISE.sub(" ", " ".join(text[place : place + _SAMPLE] for place in places)).strip()
        if len(sample) < LEAST:
            return UNKNOWN
        detector = self._factory.create()
        detector.seed = 0
        detector.append(sample)
        try:
            return str(detector.detect())
        except self._failure:
            return UNKNOWN
