"""The methods by name: one table for the library, the benchmark and the files."""

from __future__ import annotations

import difflib
from typing import Any

from torch import nn

from ..network.model import ResidualBind, ResidualBindConfig
from . import (
    cdeepbind,
    deepbind,
    dlprb,
    kmer_ridge,
    matrixreduce,
    rck,
    thermonet,
)
from .recipes import Method, Recipe

_WITH_STRUCTURE = (9, 6, 4)


def _residualbind(channels: int, length: int, **settings: Any) -> nn.Module:
    config = ResidualBindConfig.released(channels=channels, length=length, **settings)
    return ResidualBind(config)


METHODS = {
    method.name: method
    for method in (
        Method(
            "residualbind",
            "ResidualBind",
            "Koo et al. 2021, the released architecture",
            _residualbind,
            Recipe(lr_decay=0.3, lr_patience=7, patience=20),
            (4, 6, 9),
        ),
        Method(
            "deepbind-1",
            "DeepBind, one layer",
            "Alipanahi et al. 2015",
            deepbind.build,
            deepbind.ONE_LAYER,
            (4,),
        ),
        Method(
            "deepbind-2",
            "DeepBind, two layers",
            "Alipanahi et al. 2015",
            deepbind.build,
            deepbind.TWO_LAYERS,
            (4,),
        ),
        Method(
            "dlprb-cnn",
            "DLPRB-CNN",
            "Ben-Bassat et al. 2018",
            dlprb.build_cnn,
            dlprb.CNN,
            _WITH_STRUCTURE,
        ),
        Method(
            "dlprb-rnn",
            "DLPRB-RNN",
            "Ben-Bassat et al. 2018",
            dlprb.build_rnn,
            dlprb.RNN,
            _WITH_STRUCTURE,
        ),
        Method(
            "cdeepbind-cnn",
            "cDeepbind-CNN",
            "Gandhi et al. 2018",
            cdeepbind.build_cnn,
            cdeepbind.CNN,
            _WITH_STRUCTURE,
        ),
        Method(
            "cdeepbind-rnn",
            "cDeepbind-RNN",
            "Gandhi et al. 2018",
            cdeepbind.build_rnn,
            cdeepbind.RNN,
            _WITH_STRUCTURE,
        ),
        Method(
            "thermonet",
            "ThermoNet",
            "Su et al. 2019",
            thermonet.build,
            thermonet.RECIPE,
            (64,),
        ),
        Method(
            "rck",
            "RCK",
            "Orenstein et al. 2016",
            rck.build_rck,
            rck.WORDS,
            _WITH_STRUCTURE,
            rck.fit_rck,
        ),
        Method(
            "rnacontext",
            "RNAcontext",
            "Kazan et al. 2010",
            rck.build_rnacontext,
            rck.RNACONTEXT,
            _WITH_STRUCTURE,
            rck.fit_rnacontext,
        ),
        Method(
            "matrixreduce",
            "MATRIXReduce",
            "Foat et al. 2006",
            matrixreduce.build,
            matrixreduce.RECIPE,
            (4,),
            matrixreduce.fit,
        ),
        Method(
            "kmer-ridge",
            "k-mer ridge regression",
            "a baseline",
            kmer_ridge.build,
            kmer_ridge.RECIPE,
            (4,),
            kmer_ridge.fit,
        ),
    )
}


def method_names() -> tuple[str, ...]:
    """Which methods can be trained?

    Returns
    -------
    names: tuple of str
        ResidualBind, then the methods that it is compared with.

    Examples
    --------
    >>> method_names()[:3]
    ('residualbind', 'deepbind-1', 'deepbind-2')
    """
    return tuple(METHODS)


def get_method(name: str) -> Method:
    """What is known of a method?

    Parameters
    ----------
    name: str
        One of `method_names()`.

    Returns
    -------
    method: Method
        Its title and source, module, recipe, and the channels that it takes.

    Raises
    ------
    ValueError
        If there is no such method.

    Examples
    --------
    >>> get_method("dlprb-rnn").recipe.epochs
    18
    """
    if name not in METHODS:
        near = difflib.get_close_matches(str(name), METHODS) or METHODS
        raise ValueError(
            f"`name`={name!r} is no method; known are {', '.join(map(repr, near))}."
        )
    return METHODS[name]
