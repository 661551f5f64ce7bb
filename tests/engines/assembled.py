"""Compile the fused kernel for GPUs, of compute capability 9.0 or less, that need not be there.

A program: it prints as JSON which instructions of tensor cores each variant has.
"""

from __future__ import annotations

import json

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from deeplimit.engines import fused, tiles
from deeplimit.engines.placement import TILE
from deeplimit.engines.precision import Arithmetic

HALVES, SINGLE = Arithmetic("float32", False, True), Arithmetic("float32", True)
TABLE = {"LENGTH": 833, "DEGREE": 5, "BITS": 4, "LOW": -52}
# Arithmetic, columns, queries, and what is special.
VARIANTS = {
    "halves, 32 columns": (HALVES, 32, 1000, {}),
    "halves, leaving out": (HALVES, 32, 1000, {"SKIP": True}),
    "halves, 96 columns": (HALVES, 96, 1000, {"SKIP": True, "ALIKE": False}),
    "halves, 448 columns": (HALVES, 448, 1000, {"POWER": tiles.QUICK}),
    "halves, few queries": (HALVES, 128, 1, {"POWER": -1}),
    "float32 differences": (SINGLE, 10, 1000, {"SKIP": True}),
    "float64 products": (Arithmetic("float64", False), 64, 1000, {"POWER": 200}),
    "float64 table": (Arithmetic("float64", True), 5, 1000, TABLE),
}
WHOLE = dict.fromkeys(("skip", "starts", "stops", "near_rows", "near_places"), "*i32")
WHOLE |= {"near_marks": "*i32", "count": "*i64"}
WHOLE |= dict.fromkeys(("m", "places", "capacity"), "i32")
# A card of compute capability 8.6, and what shared memory it has.
SMALL_ROOM = 101376
SMALL = ("halves, small card, 32 columns", "halves, small card, 448 columns")
VARIANTS |= dict(zip(SMALL, [(HALVES, 32, 1000, {}), (HALVES, 448, 1000, {})], strict=True))
MATRICES = ("queries", "queries_low", "examples", "examples_low")


def assemble(arithmetic, columns, queries, chosen, small=False):
    plain = not (chosen.get("SKIP") or chosen.get("POWER", 3) < 0)
    room = SMALL_ROOM if small else 232448
    shape = fused.shape_of(arithmetic, columns, queries, plain=plain, room=room)
    constants = dict(
        FORM=shape.form,
        POWER=3,
        D=columns,
        BLOCK=shape.block,
        ALIKE=True,
        SKIP=False,
        LENGTH=0,
        DEGREE=0,
        BITS=0,
        LOW=0,
        ROWS=shape.rows,
        TILE=shape.tile,
        GRAIN=TILE,
    )
    constants |= chosen
    kind = "fp32" if arithmetic.dtype == "float32" else "fp64"
    types = dict(WHOLE)
    if arithmetic.halves:
        types |= dict.fromkeys(MATRICES, "*fp16")
    names = [parameter.name for parameter in tiles.sum_chunk.params]
    signature = {
        name: "constexpr" if name in constants else types.get(name, f"*{kind}") for name in names
    }
    # As where it runs: Triton sees that addresses and numbers of rows are even.
    even = [name for name in names if signature[name].startswith("*") or name in ("m", "places")]
    source = ASTSource(
        tiles.sum_chunk,
        signature,
        constexprs={(names.index(name),): value for name, value in constants.items()},
        attrs={(names.index(name),): [["tt.divisibility", 16]] for name in even},
    )
    options = {
        "num_warps": shape.warps,
        "num_stages": shape.stages,
        "enable_fp_fusion": True,
        "maxnreg": shape.registers,
    }
    made = triton.compile(
        source, target=GPUTarget("cuda", 86 if small else 90, 32), options=options
    )
    lines = made.asm["ptx"].splitlines()
    return {
        "binary": len(made.asm["cubin"]),
        "shared": made.metadata.shared,
        "room": room,
        "older": sum("mma.sync" in line and "f32.f16.f16" in line for line in lines),
        "half": sum("wgmma.mma_async" in line and "f32.f16.f16" in line for line in lines),
        "other": sum("wgmma.mma_async" in line and "f16.f16" not in line for line in lines),
        "f64": sum("mma.sync" in line and "f64" in line for line in lines),
        "log": sum("lg2.approx" in line for line in lines),
    }


if __name__ == "__main__":
    made = {name: assemble(*variant, name in SMALL) for name, variant in VARIANTS.items()}
    print(json.dumps(made))
