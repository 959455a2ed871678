"""The stand-in lets Rasa import and refuses, by name of the setting, what needs the real TensorFlow."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import textwrap

import pytest

tensorflow = pytest.importorskip("tensorflow")
if not hasattr(tensorflow, "TensorFlowMissing"):
    pytest.skip("the real TensorFlow is installed", allow_module_level=True)

COMPONENTS = [
    ("rasa.nlu.classifiers.diet_classifier", "DIETClassifier"),
    ("rasa.nlu.selectors.response_selector", "ResponseSelector"),
    ("rasa.nlu.featurizers.dense_featurizer.convert_featurizer", "ConveRTFeaturizer"),
    ("rasa.nlu.featurizers.dense_featurizer.lm_featurizer", "LanguageModelFeaturizer"),
    ("rasa.core.policies.ted_policy", "TEDPolicy"),
    ("rasa.core.policies.unexpected_intent_policy", "UnexpecTEDIntentPolicy"),
]


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run in a fresh interpreter: importing Rasa is not to leak into the other tests."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_rasa_finds_the_distribution_at_the_version_it_pins() -> None:
    assert importlib.metadata.version("tensorflow") == "2.12.0" == tensorflow.__version__


def test_any_name_is_a_class_that_can_be_subclassed_and_annotated() -> None:
    class Layer(tensorflow.keras.layers.Layer):
        pass

    assert issubclass(Layer, tensorflow.keras.layers.Layer)
    assert tensorflow.keras.layers.Layer is tensorflow.keras.layers.Layer
    assert tuple[tensorflow.Tensor, ...].__args__[0] is tensorflow.Tensor
    assert (tensorflow.Tensor | None) is not None


@pytest.mark.parametrize(
    "call",
    [
        lambda: tensorflow.constant([1]),
        lambda: tensorflow.keras.layers.Dense(3),
        lambda: type("Model", (tensorflow.keras.Model,), {})(),
    ],
)
def test_a_call_raises_one_sentence_that_names_the_setting(call) -> None:
    with pytest.raises(tensorflow.TensorFlowMissing, match=r"QIFU_TENSORFLOW=1") as caught:
        call()
    assert isinstance(caught.value, RuntimeError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["tensorflow.experimental.dlpack", "tensorflow.lite", "keras.layers"])
def test_a_library_that_probes_for_tensorflow_finds_none(name: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(name)


def test_nothing_of_the_neural_extras_is_installed() -> None:
    assert [n for n in ("tensorflow_hub", "tensorflow_text", "jax") if importlib.util.find_spec(n)] == []


@pytest.mark.rasa
def test_rasas_agent_imports_and_each_neural_component_refuses() -> None:
    done = run(f"""
        import sys
        from importlib import import_module
        from importlib.util import find_spec
        from rasa.core.agent import Agent
        import rasa.model_training
        import tensorflow
        for module, name in {COMPONENTS!r}:
            component = getattr(import_module(module), name)
            find_spec("a_module_that_is_looked_for_next")
            for use in (component.required_packages, lambda: component({{}}, None, None, None)):
                try:
                    use()
                except tensorflow.TensorFlowMissing as error:
                    assert name in str(error), error
                else:
                    raise AssertionError(name + " did not refuse")
        assert not any(type(finder).__name__ == "Closer" for finder in sys.meta_path)
        print("closed")
    """)
    assert done.stdout.strip() == "closed", done.stderr


@pytest.mark.rasa
def test_training_stops_before_anything_is_trained_when_a_neural_component_is_configured(tmp_path) -> None:
    (tmp_path / "config.yml").write_text(
        "recipe: default.v1\nassistant_id: probe\nlanguage: zh\n"
        "pipeline: [{name: JiebaTokenizer}, {name: CountVectorsFeaturizer}, {name: DIETClassifier}]\n"
        "policies: [{name: RulePolicy}]\n",
        encoding="utf-8",
    )
    (tmp_path / "domain.yml").write_text(
        "intents: [greet, thank]\nresponses: {utter_greet: [{text: 您好}]}\n", encoding="utf-8"
    )
    (tmp_path / "nlu.yml").write_text(
        "nlu:\n"
        '- {intent: greet, examples: "- 你好\\n- 您好\\n"}\n'
        '- {intent: thank, examples: "- 谢谢\\n- 多谢\\n"}\n',
        encoding="utf-8",
    )
    done = run(f"""
        import os
        os.environ["RASA_TELEMETRY_ENABLED"] = "false"
        import rasa.model_training
        rasa.model_training.train({str(tmp_path / "domain.yml")!r}, {str(tmp_path / "config.yml")!r},
                                  [{str(tmp_path / "nlu.yml")!r}], output={str(tmp_path / "models")!r})
    """)
    assert done.returncode != 0
    assert "DIETClassifier needs the real TensorFlow" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "models").exists()
