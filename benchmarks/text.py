"""Sentences that people and models really wrote, put together anew: as many different messages as a benchmark wants."""

import json
import re
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
CHINESE_SHARE = 0.15

# Planted, so that the number of hits is known: one message in ten thousand, and a subject dropped long ago.
RARE, RARE_SHARE = "chrysoprase", 1 / 10_000
FORMER, FORMER_SHARE = "kayaking", 1 / 5
WORDS = {
    "rare": [RARE],
    "uncommon": ["hypnotic", "dialysis", "Pennsylvania"],  # each of one sentence of the sample
    "common": ["number", "function", "probability"],
    "absent": ["zyzzyva", "qwertzuiop"],
    "two CJK characters": ["北京", "驴肉", "熊猫"],
    "of long ago": [FORMER],
}


class Writer:
    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.pools = {"en": _english(), "zh": _chinese()}

    def question(self, *, former: bool = False) -> str:
        return self._text(1, 3, former)

    def reply(self, *, former: bool = False) -> str:
        return self._text(3, 12, former)

    def _text(self, fewest: int, most: int, former: bool) -> str:
        pool = self.pools["zh" if self.rng.random() < CHINESE_SHARE else "en"]
        sentences = self.rng.choices(pool, k=self.rng.randint(fewest, most))
        return " ".join(sentences + self._planted(former))

    def _planted(self, former: bool) -> list[str]:
        rare = self.rng.random() < RARE_SHARE
        about_former = self.rng.random() < FORMER_SHARE and former
        return [f"Like {RARE}."] * rare + [f"And then I go {FORMER}."] * about_former


def _english() -> list[str]:
    lines = (HERE.parent / "sample" / "mt_bench.jsonl").read_text().splitlines()
    texts = [message["content"] for line in lines for message in json.loads(line)["messages"]]
    return [sentence for text in texts for sentence in SENTENCE_END.split(text) if sentence.strip()]


def _chinese() -> list[str]:
    lines = (HERE / "crosswoz.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]
