"""No function leaves torch with other threads than it found."""

import numpy as np
import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia._core.threads import kept_threads
from tangermeme_gia.backgrounds.by_name import draw_background
from tangermeme_gia.motifs.instances import find_instances

X = random_one_hot((20, 4, 40), random_state=0)
PPMS = dict(enumerate(np.random.default_rng(0).dirichlet(np.ones(4), (30, 6))))
MOTIFS = {str(i): ppm.T for i, ppm in PPMS.items()}
CODES = X.argmax(dim=1).to(torch.int8).numpy()
# Whatever calls what numba compiled.
CALLS = {
    "compare_motifs": lambda: gia.motifs.compare_motifs(MOTIFS, MOTIFS),
    "find_instances": lambda: find_instances(MOTIFS, CODES, both_strands=True),
    "shuffle": lambda: draw_background(X, "shuffle", 20, None, 0),
    "dinucleotide": lambda: draw_background(X, "dinucleotide", 20, None, 0),
}


@pytest.fixture
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.mark.parametrize("name", CALLS)
def test_threads_are_as_before(one_thread, name):
    CALLS[name]()
    assert torch.get_num_threads() == 1


def test_threads_are_as_before_after_an_error(one_thread):
    def fail():
        torch.set_num_threads(2)
        raise KeyError

    with pytest.raises(KeyError), kept_threads():
        fail()
    assert torch.get_num_threads() == 1
