"""A small model of each family, and what else the lines of the page use, by name."""

import functools
import logging
import os
from pathlib import Path

import numpy as np
import torch
from tangermeme.utils import random_one_hot

os.environ["KERAS_BACKEND"] = "torch"
N = 4


def dna(length, n=N):
    return random_one_hot((n, 4, length), random_state=0)


class Net(torch.nn.Module):
    """Convolution, maximum, three outputs: what takes (n, 4, length) as it is."""

    def __init__(self, width=8):
        super().__init__()
        self.conv = torch.nn.Conv1d(4, width, 7)
        self.head = torch.nn.Linear(width, 3)

    def forward(self, X):
        return self.head(torch.relu(self.conv(X)).amax(dim=2))


class ChannelsLast(Net):
    def forward(self, X):
        return super().forward(X.transpose(1, 2))


def bpnet():
    from bpnetlite import BPNet

    net = BPNet(n_filters=8, n_layers=2, n_control_tracks=2, trimming=557)
    return {"net": net, "X": dna(2114)}


def chrombpnet():
    from bpnetlite import BPNet
    from bpnetlite.chrombpnet import ChromBPNet

    parts = [
        BPNet(n_filters=8, n_layers=2, n_control_tracks=0, trimming=557)
        for _ in range(2)
    ]
    return {"net": ChromBPNet(*parts, "test"), "X": dna(2114)}


def procapnet():
    from bpnetlite import BPNet

    settings = {"n_outputs": 2, "n_control_tracks": 0, "trimming": 557}
    return {"net": BPNet(n_filters=8, n_layers=2, **settings), "X": dna(2114)}


def cherimoya():
    from cherimoya import Cherimoya

    net = Cherimoya(n_filters=8, n_layers=2, compile=False)
    return {"net": net, "X": dna(2114)}


def dragonnfruit():
    from bpnetlite import BPNet
    from dragonnfruit.models import CellStateController, DragoNNFruit, DynamicBPNet

    controller = CellStateController(n_inputs=5, n_nodes=8, n_outputs=8)
    dynamic = DynamicBPNet(controller, n_filters=8, n_layers=2, trimming=557)
    bias = BPNet(n_filters=8, n_layers=2, n_control_tracks=0, trimming=557)
    return {
        "net": DragoNNFruit(bias, dynamic, "test"),
        "X": dna(2114),
        "cell_state": torch.ones(5),
        "read_depth": torch.full((1,), 3.0),
    }


def enformer():
    from enformer_pytorch import Enformer

    heads = {"human": 3, "mouse": 2}
    net = Enformer.from_hparams(
        dim=384, depth=1, heads=2, output_heads=heads, target_length=8
    )
    return {"net": net, "X": dna(128 * 16)}


def borzoi():
    from borzoi_pytorch import Borzoi
    from borzoi_pytorch.config_borzoi import BorzoiConfig

    settings = {"dim": 64, "depth": 1, "heads": 2, "attn_dim_value": 8}
    config = BorzoiConfig(**settings, bins_to_return=16, enable_mouse_head=False)
    return {"net": Borzoi(config), "X": dna(32 * 128, n=2)}


def grelu():
    from grelu.lightning import LightningModel

    net = LightningModel(
        model_params={"model_type": "ConvModel", "n_tasks": 2, "n_conv": 1},
        train_params={"task": "regression", "loss": "poisson"},
    )
    return {"net": net, "X": dna(64)}


def crested():
    from crested.tl import zoo

    net = zoo.deeptopic_cnn(seq_len=500, num_classes=3, filters=16)
    return {"net": net, "X": dna(500)}


def selene():
    from selene_sdk.utils import NonStrandSpecific

    net = torch.nn.Sequential(
        torch.nn.Conv1d(4, 8, 8),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool1d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 5),
        torch.nn.Sigmoid(),
    )
    return {"net": NonStrandSpecific(net), "X": dna(1000)}


def deepsea():
    net = torch.nn.Sequential(
        torch.nn.Conv2d(4, 8, (1, 8)),
        torch.nn.Threshold(0, 1e-6),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 5),
    )
    return {"net": net, "X": dna(1000)}


def openspliceai():
    from openspliceai.train_base.openspliceai import SpliceAI

    net = SpliceAI(8, np.array([11] * 4), np.array([1] * 4))
    return {"net": net, "X": dna(280)}


def spliceai_pytorch():
    from spliceai_pytorch import SpliceAI

    return {"net": SpliceAI.from_preconfigured("80nt"), "X": dna(5080, n=2)}


PROTEIN = "ACDEFGHIKLMNPQRSTVWY"
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def esm():
    from transformers import EsmConfig, EsmForSequenceClassification, EsmTokenizer

    words = ["<cls>", "<pad>", "<eos>", "<unk>", *PROTEIN, "<mask>"]
    Path("vocab.txt").write_text("\n".join(words))
    config = EsmConfig(
        vocab_size=len(words),
        intermediate_size=16,
        pad_token_id=1,
        mask_token_id=len(words) - 1,
        max_position_embeddings=64,
        **SMALL,
    )
    X = random_one_hot((N, 20, 30), random_state=0)
    X[0, :, 0] = 0  # padding
    return {
        "net": EsmForSequenceClassification(config),
        "X": X,
        "letters": PROTEIN,
        "tokenizer": EsmTokenizer("vocab.txt"),
    }


def _six_mers(*special):
    from tangermeme_gia.models.reading import vocabulary_of

    return [*special, *vocabulary_of(None, "ACGT", 6)]


def _with_n(length):
    X = dna(length)
    X[0, :, 7] = 0
    return X


def dnabert():
    from transformers import BertConfig, BertForSequenceClassification

    vocabulary = _six_mers("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    config = BertConfig(vocab_size=len(vocabulary), intermediate_size=16, **SMALL)
    net = BertForSequenceClassification(config)
    return {"net": net, "X": _with_n(60), "vocabulary": vocabulary}


def nucleotide_transformer():
    from transformers import EsmConfig, EsmForSequenceClassification

    vocabulary = _six_mers("<unk>", "<pad>", "<mask>", "<cls>")
    config = EsmConfig(
        vocab_size=len(vocabulary), intermediate_size=16, pad_token_id=1, **SMALL
    )
    net = EsmForSequenceClassification(config)
    return {"net": net, "X": _with_n(60), "vocabulary": vocabulary}


def byte_pairs():
    from tokenizers import Tokenizer, models, trainers
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
    )

    trained = Tokenizer(models.BPE(unk_token="[UNK]"))
    special = ["[UNK]", "[PAD]"]
    trainer = trainers.BpeTrainer(vocab_size=64, special_tokens=special)
    letters = np.array(list("ACGTN"))
    words = np.random.default_rng(0).integers(5, size=(50, 60))
    trained.train_from_iterator(["".join(letters[row]) for row in words], trainer)
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]"}
    config = BertConfig(vocab_size=64, intermediate_size=16, **SMALL)
    return {
        "net": BertForSequenceClassification(config),
        "X": _with_n(60),
        "tokenizer": PreTrainedTokenizerFast(tokenizer_object=trained, **names),
        "partial": functools.partial,
    }


def torchscript():
    torch.jit.script(Net().eval()).save("net.ts")
    return {}


def exported():
    n = torch.export.Dim("n")
    program = torch.export.export(
        Net().eval(), (torch.zeros(2, 4, 100),), dynamic_shapes=({0: n},)
    )
    torch.export.save(program, "net.pt2")
    return {}


def onnx():
    import onnxruntime  # noqa: F401 - what computes it
    import onnxscript  # noqa: F401 - what torch writes it by

    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    torch.onnx.export(
        ChannelsLast().eval(),
        (torch.zeros(2, 100, 4),),
        "net.onnx",
        dynamic_shapes=({0: torch.export.Dim("n")},),
        verbose=False,
    )
    return {}


LIT = """
import lightning, torch


class Lit(lightning.LightningModule):
    def __init__(self, width, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.conv = torch.nn.Conv1d(4, width, 7)
        self.head = torch.nn.Linear(width, 3)

    def forward(self, X):
        return self.head(torch.relu(self.conv(X)).amax(dim=2))

    def training_step(self, batch, i):
        return self(batch[0]).square().mean()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
"""


def lightning():
    import lightning as package

    Path("nets.py").write_text(LIT)
    code = {"__name__": "nets"}
    exec(compile(LIT, "nets.py", "exec"), code)
    trainer = package.Trainer(
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    batches = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(dna(100).float())
    )
    trainer.fit(code["Lit"](width=5), batches)
    trainer.save_checkpoint("last.ckpt")
    return {}


# By the first words of the rows of the page.
FAMILIES = {
    "BPNet with control tracks": bpnet,
    "ChromBPNet": chrombpnet,
    "ProCapNet": procapnet,
    "Cherimoya": cherimoya,
    "DragoNNFruit": dragonnfruit,
    "Enformer": enformer,
    "Borzoi": borzoi,
    "gReLU": grelu,
    "CREsted, Keras 3 on torch": crested,
    "Selene": selene,
    "DeepSEA, channels A, G, C, T, conv2d": deepsea,
    "SpliceAI, (n, 3, positions)": openspliceai,
    "SpliceAI, (n, positions, 3)": spliceai_pytorch,
    "ESM and other tokens of one letter": esm,
    "DNABERT: 6-mers that overlap": dnabert,
    "Nucleotide Transformer: 6-mers side by side": nucleotide_transformer,
    "DNABERT-2: byte pairs": byte_pairs,
    "TorchScript": torchscript,
    "torch.export": exported,
    "ONNX": onnx,
    "Lightning checkpoint": lightning,
}


# Models that go through `report` from the command line, with `--target`; each writes
# its files and gives the words of the command. They count GATTA, and all say the same.
HEADS = """
import torch
from tangermeme.utils import one_hot_encode


class Heads(torch.nn.Module):
    '''As BPNet: a profile of two strands, and counts.'''

    def __init__(self):
        super().__init__()
        motif = one_hot_encode("GATTA").float()[None]
        self.register_buffer("motif", motif, persistent=False)
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, X):
        hits = torch.nn.functional.conv1d(X, self.motif, padding="same") - 4
        track = self.scale * torch.relu(hits) + 0.01 * X[:, :1]
        return torch.cat([track, 2 * track], dim=1), track.sum(dim=2)


class Counts(Heads):
    def forward(self, X):
        return torch.cat([super().forward(X)[1]] * 2, dim=1)


class CountsLast(Counts):
    def forward(self, X):
        return super().forward(X.transpose(1, 2))
"""


def _heads() -> dict:
    Path("heads.py").write_text(HEADS)
    code = {"__name__": "heads"}
    exec(HEADS, code)
    return code


def report_heads(target):
    _heads()
    names = [f"fold{i}.pt" for i in range(5)]
    for i, name in enumerate(names):
        torch.save({"scale": torch.tensor([0.8 + 0.1 * i])}, name)
    return f"--model heads.py:Heads --weights {' '.join(names)} --target {target}"


def report_torchscript():
    torch.jit.script(torch.jit.trace(_heads()["Counts"](), dna(60).float())).save(
        "counts.ts"
    )
    return "--model counts.ts --target 1"


def report_onnx():
    import onnxruntime  # noqa: F401 - what computes it
    import onnxscript  # noqa: F401 - what torch writes it by

    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    torch.onnx.export(
        _heads()["CountsLast"]().eval(),
        (dna(60).float().transpose(1, 2),),
        "counts.onnx",
        dynamic_shapes=({0: torch.export.Dim("n")},),
        verbose=False,
    )
    return "--model counts.onnx --layout channels_last --target 1"


KERAS = """
import keras
import numpy as np
from tangermeme.utils import one_hot_encode


def build():
    letters = keras.Input((60, 4))
    hits = keras.layers.Conv1D(1, 5, padding="same", activation="relu")(letters)
    total = keras.layers.Lambda(lambda y: keras.ops.sum(y, axis=1))(hits)
    both = keras.layers.Concatenate()([total, total])
    model = keras.Model(letters, both)
    motif = one_hot_encode("GATTA").numpy().T[:, :, None].astype("float32")
    model.layers[1].set_weights([motif, np.full(1, -4, "float32")])
    return model
"""


def report_keras():
    import keras  # noqa: F401 - of the file

    Path("net.py").write_text(KERAS)
    return "--model net.py:build --layout channels_last --target 1"


REPORTS = {
    "profile head": functools.partial(
        report_heads, "head=0,track=1,centre=40,reduce=sum"
    ),
    "count head": functools.partial(report_heads, "1,0"),
    "TorchScript": report_torchscript,
    "ONNX": report_onnx,
    "Keras": report_keras,
}
