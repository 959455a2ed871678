"""Close the components of Rasa's that need the real TensorFlow.

They only touch TensorFlow once they have data to train on or a model to load, after other components have
spent their time. Closed, they refuse at once: Rasa asks each configured component for ``required_packages``
before it trains anything, and constructs it before it loads anything.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from tensorflow.errors import TensorFlowMissing

COMPONENTS = {
    "rasa.nlu.classifiers.diet_classifier": "DIETClassifier",
    "rasa.nlu.selectors.response_selector": "ResponseSelector",
    "rasa.nlu.featurizers.dense_featurizer.convert_featurizer": "ConveRTFeaturizer",
    "rasa.nlu.featurizers.dense_featurizer.lm_featurizer": "LanguageModelFeaturizer",
    "rasa.core.policies.ted_policy": "TEDPolicy",
    "rasa.core.policies.unexpected_intent_policy": "UnexpecTEDIntentPolicy",
}


def _close(component: Any, name: str) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise TensorFlowMissing(f"Rasa's component {name}")

    component.required_packages = staticmethod(refuse)
    component.__init__ = refuse


class Closer:
    """Finder that finds nothing: at each import that follows, it closes the components defined by then.

    Rasa's modules import TensorFlow at their top, before their class exists, so closing has to wait for a
    later import; Rasa imports many more modules before it uses a component. Leaves
    ``sys.meta_path`` when done.
    """

    def __init__(self) -> None:
        self._open = dict(COMPONENTS)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Close what can be closed and leave the search to the other finders."""
        for module_name, component in list(self._open.items()):
            found = getattr(sys.modules.get(module_name), component, None)
            if found is not None:
                _close(found, component)
                del self._open[module_name]
        if not self._open and self in sys.meta_path:
            sys.meta_path.remove(self)
        return None
