"""Compile the fused kernel for a GPU of compute capability 9.0, which need not be there: a program.

It prints as JSON which instructions of tensor cores each variant has.
"""

from __future__ import annotations

import json

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from deeplimit.engines import fused
from deeplimit.engines.placement import STEP, TILE

VARIANTS = {
    "float32 products": ("fp32", {}),
    "float32 differences": ("fp32", {"D": 5, "DIFFERENCES": True, "POWER": -1, "SKIP": True}),
    "float64 products": ("fp64", {"POWER": 200}),
    "float64 table": (
        "fp64",
        {"D": 5, "DIFFERENCES": True, "LENGTH": 833, "DEGREE": 5, "BITS": 4, "LOW": -52},
    ),
}
WHOLE = dict.fromkeys(("skip", "starts", "stops", "near_rows", "near_places"), "*i32")
WHOLE |= {"near_marks": "*i64", "count": "*i64"}
WHOLE |= dict.fromkeys(("m", "capacity", "query_stride", "row_stride", "column_stride"), "i32")


def assemble(kind, chosen):
    constants = dict(
        POWER=3,
        D=2 * STEP,
        STEP=STEP,
        DIFFERENCES=False,
        SKIP=False,
        LENGTH=0,
        DEGREE=0,
        BITS=0,
        LOW=0,
        ROWS=fused.ROWS,
        TILE=TILE,
        PRECISION="tf32x3" if kind == "fp32" else "ieee",
    )
    constants |= chosen
    names = [parameter.name for parameter in fused._kernel.params]
    signature = {
        name: "constexpr" if name in constants else WHOLE.get(name, f"*{kind}") for name in names
    }
    source = ASTSource(
        fused._kernel,
        signature,
        constexprs={(names.index(name),): value for name, value in constants.items()},
    )
    options = {"num_warps": 4 if kind == "fp32" else 8, "enable_fp_fusion": True}
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
    lines = made.asm["ptx"].splitlines()
    return {
        "binary": len(made.asm["cubin"]),
        "tf32": sum("wgmma.mma_async" in line and "tf32" in line for line in lines),
        "f64": sum("mma.sync" in line and "f64" in line for line in lines),
    }


if __name__ == "__main__":
    print(json.dumps({name: assemble(*variant) for name, variant in VARIANTS.items()}))
