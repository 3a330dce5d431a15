"""Translation models: loaded by name, and told which language to translate into.

translator = load_translator("facebook/nllb-200-distilled-600M")
translator(["A cat."], "fi")      # translations in their order
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from xstilts import revisions
from xstilts.encoders import HUB_ID
from xstilts.errors import UserError
from xstilts.tasks.languages import NLLB_NAMES, TATOEBA_NAMES

# (English texts, language) -> translations in their order
Translator = Callable[[list[str], str], list[str]]

M2M100 = "facebook/m2m100_418M@55c2e61bbf05dfb8d7abccdc3fae6fc8512fd636"
PIECES = 4000  # padded pieces a batch


def pinned(name: str) -> str:
    """A Hub id with the commit that it stands for today; a folder as it is named."""
    base, _, revision = name.partition("@")
    if Path(name).is_dir() or not HUB_ID.fullmatch(base):
        return name
    return f"{base}@{revisions.commit(base, revision or 'main', 'model')}"


def load_translator(name: str = M2M100, beams: int = 0) -> Translator:
    """A sequence-to-sequence model by Hub id (ID@REVISION) or folder: M2M100, NLLB, or an OPUS-MT
    of one direction.

    beams 0: as many as the model's own settings say. UserError where it cannot be loaded or lacks a
    language."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    base, _, revision = (name, "", "") if Path(name).is_dir() else pinned(name).partition("@")
    try:
        asked = {
            "pretrained_model_name_or_path": base,
            "revision": revision or "main",
            "trust_remote_code": False,
        }
        tokenizer = AutoTokenizer.from_pretrained(**asked)
        model = AutoModelForSeq2SeqLM.from_pretrained(
            **asked, dtype=torch.float32, use_safetensors=True
        ).eval()
    except OSError as error:
        raise UserError(
            f"cannot load the translation model {name}: {error}\nIf it has only a .bin: "
            f"`xstilts fetch FOLDER --models-only --model {name}` makes safetensors of it; give "
            f"FOLDER/models/{base}"
        ) from error
    where = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(where)

    @torch.inference_mode()
    def translator(texts: list[str], language: str) -> list[str]:
        options = _target(tokenizer, model, language)
        if not texts:
            return []
        pieces = tokenizer(texts, add_special_tokens=False)["input_ids"]
        found = [""] * len(texts)
        for positions in _batches([len(ids) for ids in pieces]):
            batch = tokenizer(
                [texts[position] for position in positions],
                padding=True,
                truncation=True,
                max_length=model.config.max_position_embeddings,
                return_tensors="pt",
            ).to(where)
            output = model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                max_new_tokens=2 * batch["input_ids"].shape[1] + 20,
                **options,
                **({"num_beams": beams} if beams else {}),
            )
            for position, text in zip(
                positions, tokenizer.batch_decode(output, skip_special_tokens=True), strict=True
            ):
                found[position] = text.strip()
        return found

    return translator


def _target(tokenizer, model, language: str) -> dict:
    """How the model is told where to translate to. Sets the tokenizer's source language."""
    if model.config.model_type == "marian":
        # one direction a model: its tokenizer may know which, else it is the first asked for
        only = tokenizer.target_lang = getattr(tokenizer, "target_lang", None) or language
        if only not in (
            language,
            TATOEBA_NAMES.get(language),
            NLLB_NAMES.get(language, "").partition("_")[0],
        ):
            raise UserError(
                f"the translation model translates into {only!r} alone, not into {language!r}"
            )
        return {}
    if hasattr(tokenizer, "get_lang_id"):  # M2M100
        tokenizer.src_lang = "en"
        if language not in tokenizer.lang_code_to_id:
            raise UserError(
                f"the translation model does not know {language!r}; it knows "
                f"{', '.join(tokenizer.lang_code_to_id)}"
            )
        return {"forced_bos_token_id": tokenizer.get_lang_id(language)}
    # NLLB; a language that is not listed goes by NLLB's own code
    code = NLLB_NAMES.get(language, language)
    token = tokenizer.convert_tokens_to_ids(code)
    if token in (None, tokenizer.unk_token_id):
        raise UserError(f"the translation model does not know {language!r} ({code})")
    tokenizer.src_lang = NLLB_NAMES["en"]
    return {"forced_bos_token_id": token}


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions, longest first, at most PIECES padded pieces a batch."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        if batch and (len(batch) + 1) * (lengths[batch[0]] + 2) > PIECES:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch
