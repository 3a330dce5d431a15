"""What all tests share: a store of their own, no local data by accident, and an encoder that trains in a second."""
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from xstilts import data, encoders

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("XSTILTS_DATA", raising=False)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> Path:
    """A folder with a BERT of two narrow layers and a Unigram tokenizer of the embedded benchmark's words."""
    folder = tmp_path_factory.mktemp("tiny")
    texts = [row["text"] for language in ("en", "de", "fi", "hu", "sw")
             for row in data.load("text", "train", language, "mini", 300)]
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=1500, special_tokens=SPECIAL,
                                                               unk_token="<unk>", show_progress=False))
    backend.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [(token, SPECIAL.index(token)) for token in ("<s>", "</s>")])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", cls_token="<s>", pad_token="<pad>", eos_token="</s>",
        sep_token="</s>", unk_token="<unk>", mask_token="<mask>", model_max_length=128,
        model_input_names=["input_ids", "attention_mask"])
    torch.manual_seed(0)
    model = BertModel(BertConfig(vocab_size=len(tokenizer), hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
                                 intermediate_size=96, max_position_embeddings=128, pad_token_id=1,
                                 bos_token_id=0, eos_token_id=2), add_pooling_layer=False)
    encoders.save(model, tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_encoder):
    """The tiny encoder's tokenizer: encoding needs no model."""
    return encoders.load(tiny_encoder)[1]


@pytest.fixture(scope="session")
def realdata() -> str:
    """Real rows in the Hub's layout, which cannot be part of the project."""
    import os

    folder = Path(os.environ.get("XSTILTS_REALDATA") or Path(__file__).parents[2] / "shared" / "realdata")
    if not folder.is_dir():
        pytest.skip("real rows are not here: set XSTILTS_REALDATA to a folder of parquet files in the Hub's layout")
    return str(folder)
