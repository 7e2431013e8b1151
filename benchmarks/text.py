"""Generate any number of different messages from real sentences of people and models, combined at random."""

import json
import re
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
CHINESE_SHARE = 0.15

# Words that are added to some messages, so that the number of hits is known: one word is in one of ten thousand
# messages, the other is about a subject that users no longer write about.
RARE, RARE_SHARE = "chrysoprase", 1 / 10_000
OLD_SUBJECT, OLD_SUBJECT_SHARE = "kayaking", 1 / 5
WORDS = {
    "rare": [RARE],
    "uncommon": ["hypnotic", "dialysis", "Pennsylvania"],  # each is in one sentence of the sample
    "common": ["number", "function", "probability"],
    "absent": ["zyzzyva", "qwertzuiop"],
    "two CJK characters": ["北京", "驴肉", "熊猫"],
    "of long ago": [OLD_SUBJECT],
}
# Queries that need more than the index of words, or find nothing in many messages.
QUERIES = {
    "three and more CJK": [
        "颐和园",
        "北京烤",
        "麻辣火锅",
        "北京 故宫 烤鸭 门票 地铁 酒店 评分 电话",
        "안녕하세요",
        "ありがとう",
    ],
    "filters that find nothing": ["role:critic", "model:none", "tag:none", "model:none number", "role:critic 北京"],
    "other scripts": ["สวัสดี", "नमस्ते", "Привет", "Ärger"],
    "signs and emoji": ['"---"', '"| |"', "...", ":::", "😀😀😀", "a.*b+[c]"],
    "stop words": ['"to be or not to be"', '"the and of"', "-the"],
    "parts of common letters": ["thering", "ationing", "tag:none number", f"{OLD_SUBJECT} role:critic"],
    "200 characters": [f'"{("It was the best of times, it was the worst of times. " * 4)[:200]}"'],
}


class Writer:
    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.pools = {"en": _english(), "zh": _chinese()}

    def question(self, *, old_subject: bool = False) -> str:
        return self._text(1, 3, old_subject)

    def reply(self, *, old_subject: bool = False) -> str:
        return self._text(3, 12, old_subject)

    def _text(self, fewest: int, most: int, old_subject: bool) -> str:
        pool = self.pools["zh" if self.rng.random() < CHINESE_SHARE else "en"]
        sentences = self.rng.choices(pool, k=self.rng.randint(fewest, most))
        return " ".join(sentences + self._added(old_subject))

    def _added(self, old_subject: bool) -> list[str]:
        rare = self.rng.random() < RARE_SHARE
        about_old_subject = self.rng.random() < OLD_SUBJECT_SHARE and old_subject
        return [f"Like {RARE}."] * rare + [f"And then I go {OLD_SUBJECT}."] * about_old_subject


def _english() -> list[str]:
    lines = (HERE.parent / "sample" / "mt_bench.jsonl").read_text().splitlines()
    texts = [message["content"] for line in lines for message in json.loads(line)["messages"]]
    return [sentence for text in texts for sentence in SENTENCE_END.split(text) if sentence.strip()]


def _chinese() -> list[str]:
    lines = (HERE / "crosswoz.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]
