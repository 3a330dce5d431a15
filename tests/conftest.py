"""What all tests share: a store of their own, no local data by accident, and an encoder that trains
in a second."""

import hashlib
import os
from pathlib import Path

# Where other processes use the same cores, several threads wait for each other and are many times
# slower.
os.environ["OMP_NUM_THREADS"] = "1"

import hub_server  # before all that reads where the Hub is: no test asks the real one
import hubrows
import pytest
import torch
from families import tiny_config, tiny_tokenizer
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoModel, BertConfig, BertModel, PreTrainedTokenizerFast

from xstilts import data, encoders, hub_faults, revisions
from xstilts.data import hub, tagged
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


# Files that take longest. They begin first, so that no process is left alone with one at the end.
LONG = ("test_book", "test_one_rule", "test_study", "test_together", "test_process_group")
LONG += ("test_torture", "test_records", "test_extend")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("XSTILTS_RECORDS", str(tmp_path / "records"))
    monkeypatch.setenv("XSTILTS_TARGETS", str(tmp_path / "targets"))
    monkeypatch.delenv("XSTILTS_DATA", raising=False)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> Path:
    """A folder with a BERT of two narrow layers and a Unigram tokenizer of the embedded benchmark's
    words."""
    folder = tmp_path_factory.mktemp("tiny")
    texts = [
        row["text"]
        for language in ("en", "de", "fi", "hu", "sw")
        for row in data.load("text", "train", language, "mini", 300)
    ]
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.train_from_iterator(
        texts,
        trainers.UnigramTrainer(
            vocab_size=1500, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
        ),
    )
    backend.post_processor = processors.TemplateProcessing(
        "<s> $A </s>",
        "<s> $A </s> </s> $B </s>",
        [(token, SPECIAL.index(token)) for token in ("<s>", "</s>")],
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        cls_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        sep_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=128,
        model_input_names=["input_ids", "attention_mask"],
    )
    torch.manual_seed(0)
    model = BertModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=96,
            max_position_embeddings=128,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
        ),
        add_pooling_layer=False,
    )
    encoders.save(model, tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_encoder):
    """The tiny encoder's tokenizer: encoding needs no model."""
    return encoders.load(tiny_encoder)[1]


@pytest.fixture(scope="session")
def embedded():
    """The full embedded encoder; converted once, into the cache that the library itself uses."""
    try:
        encoders.source_folder("e5-small")
    except UserError as error:
        pytest.skip(str(error))
    return encoders.load("e5-small")


@pytest.fixture(scope="session")
def family_of(tmp_path_factory):
    """name of a family -> a local folder with three layers of random weights."""
    made = {}

    def make(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            tokenizer = tiny_tokenizer(name)
            torch.manual_seed(0)
            encoders.save(
                AutoModel.from_config(tiny_config(name, len(tokenizer))), tokenizer, made[name]
            )
        return made[name]

    return make


@pytest.fixture(scope="session")
def realdata() -> str:
    """Real rows in the Hub's layout, which cannot be part of the project."""
    folder = Path(
        os.environ.get("XSTILTS_REALDATA") or Path(__file__).parents[2] / "shared" / "realdata"
    )
    if not folder.is_dir():
        pytest.skip(
            "real rows are not here: set XSTILTS_REALDATA to a folder of parquet files in the "
            "Hub's layout"
        )
    return str(folder)


@pytest.fixture
def fresh():
    for cached in (
        data.load,
        data.languages,
        data.fingerprint,
        data.labelled,
        hub._module,
        revisions._asked,
    ):
        cached.cache_clear()


@pytest.fixture
def wikipedia(monkeypatch):
    """A Wikipedia of 600 articles in every language, as a stream."""
    import datasets

    def stream(place, language):
        articles = [{"title": "", "text": f"20231101.{language} {number}"} for number in range(600)]
        return datasets.Dataset.from_list(articles).to_iterable_dataset()

    monkeypatch.setattr(hub, "_stream", stream)


@pytest.fixture
def server(fresh, monkeypatch, tmp_path):
    """A Hub that answers on the loopback address, with nothing on it yet; the libraries' caches are
    empty, pauses are none."""
    monkeypatch.setattr(hub_faults, "PAUSES", (0, 0))
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    monkeypatch.setenv("XSTILTS_CACHE", str(tmp_path / "cache"))
    hub_server.clear()
    hub_faults._in_vain.clear()
    found = hub_server.start()
    found.forget()
    yield found
    assert not found.unknown


@pytest.fixture
def masakhapos(server, monkeypatch):
    """Its files, which are no data set of the Hub's, on the loopback address as well."""
    [source] = TASKS["masakhapos"].sources
    place = f"/masakhane-io/masakhane-pos/{source.revision}/"
    files = hubrows.plain()
    server.plain = {place + path: content for path, content in files.items()}
    monkeypatch.setitem(
        source.__dict__,
        "files",
        source.files.replace("https://raw.githubusercontent.com", server.large),
    )
    monkeypatch.setattr(
        tagged,
        "_checksums",
        lambda: {path: hashlib.sha256(content).hexdigest() for path, content in files.items()},
    )


@pytest.fixture
def fake_hub(fresh, monkeypatch):
    """A Hub that has a few rows of everything, at one commit."""
    monkeypatch.setattr(hub, "table", hubrows.hub_table)
    monkeypatch.setattr(hub, "commit", lambda repository, revision: revision)
    monkeypatch.setattr(
        hub,
        "_splits",
        lambda place, language: tuple(
            name
            for row in TASKS.values()
            if place in row.sources
            for name in hubrows.splits(row, place, language)
        ),
    )
