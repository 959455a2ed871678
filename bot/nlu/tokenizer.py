"""Cuts Chinese text into words with jieba, by a dictionary that is stored in the model as one small file.

Rasa's own JiebaTokenizer keeps jieba's whole dictionary of half a million prefixes in memory, caches it in
the temporary folder that every user of a machine shares, and does not notice a changed user dictionary.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jieba
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from actions.chinese import simplified

_FILE = "dictionary.txt"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=True)
class DictionaryTokenizer(Tokenizer):  # type: ignore[misc]
    """jieba with the words of the knowledge base and the common words of the language."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Returns the settings.

        ``dictionary_path``: folder of user dictionaries in jieba's format. ``least_frequency``: rarer words
        of jieba's own dictionary are left out. Beyond that, those of Rasa's tokenizers.
        """
        return {
            "dictionary_path": "data/generated/jieba",
            "least_frequency": 20,
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            "token_pattern": None,
            "prefix_separator_symbol": None,
        }

    @staticmethod
    def supported_languages() -> list[str] | None:
        """Returns the languages it is for."""
        return ["zh"]

    @staticmethod
    def required_packages() -> list[str]:
        """Returns what must be installed."""
        return ["jieba"]

    def __init__(self, config: dict[str, Any], words: str, storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config)
        self._words = words
        self._storage = storage
        self._resource = resource
        self._jieba = _cutter(words)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> DictionaryTokenizer:
        """Builds the component for training, from jieba's dictionary and the user dictionaries."""
        words = [*_common_words(config["least_frequency"]), *_user_words(config["dictionary_path"])]
        return cls(config, "\n".join(words) + "\n", model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> DictionaryTokenizer:
        """Builds the component from what the model holds."""
        with model_storage.read_from(resource) as folder:
            return cls(config, (Path(folder) / _FILE).read_text(encoding="utf-8"), model_storage, resource)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Makes Rasa train again when a user dictionary has changed, not only when its path has."""
        return hashlib.sha256("\n".join(_user_words(config["dictionary_path"])).encode()).hexdigest()

    def train(self, training_data: TrainingData) -> Resource:
        """Stores the dictionary in the model."""
        with self._storage.write_to(self._resource) as folder:
            (Path(folder) / _FILE).write_text(self._words, encoding="utf-8")
        return self._resource

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Returns the words of a message with their positions."""
        cut = self._jieba.tokenize(simplified(message.get(attribute)))
        found: list[Token] = self._apply_token_pattern([Token(word, start) for word, start, _ in cut])
        return found


def _common_words(least_frequency: int) -> Iterator[str]:
    with jieba.get_dict_file() as file:
        for line in file.read().decode("utf-8").splitlines():
            word, frequency, *_ = line.split(" ")
            if int(frequency) >= least_frequency:
                yield f"{word} {frequency}"


def _user_words(folder: str | None) -> list[str]:
    if folder is None:
        return []
    files = sorted(path for path in Path(folder).glob("*") if path.is_file())
    return [
        " ".join(line.split(" ")[:2])
        for path in files
        for line in path.read_text("utf-8").splitlines()
        if line
    ]


def _cutter(words: str) -> jieba.Tokenizer:
    cutter = jieba.Tokenizer()
    source = io.BytesIO(words.encode("utf-8"))
    source.name = _FILE  # jieba names it in its complaints
    cutter.FREQ, cutter.total = cutter.gen_pfdict(source)
    cutter.initialized = True
    return cutter
