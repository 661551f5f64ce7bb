"""TEMPORARY stub of the lead until taxonomy.py lands (then taxonomy.py is renamed to this)."""
import math
from types import SimpleNamespace
import numpy as np
from scipy.optimize import brentq
from deeplimit.activations import Activation
Taxonomy = SimpleNamespace
def taxonomy(a):
    a = Activation(a); d = a.dual
    t = SimpleNamespace(regime="", exponent=None, fixed_point=None, degree=None, reason="")
    if a.A == 0:
        if a.A1 == 0: t.regime="nearest-neighbour"; t.degree=int(np.flatnonzero(d.coefficients(64)>0)[0])
        elif a.B1 == 1: t.regime="identity"
        else: t.regime="singular-kernel"; t.exponent=-4*math.log(abs(a.A1))/math.log(a.B1) if math.isfinite(a.B1) else 0.0
    elif a.B1 < 1: t.regime="conditionally-positive-definite"
    elif a.B1 == 1: t.regime="majority-vote"; t.fixed_point=1.0
    else:
        t.regime="majority-vote"; t.fixed_point=1-brentq(lambda s: float(d.gap(np.array([s]))[0])-s,1e-9,1-1e-12,xtol=1e-300,rtol=1e-14)
    return t
