// Points of the plane on the hemisphere: x to (u, 1) / sqrt(1 + |u|²), u = (x - centre) / scale,
// as `projection="hemisphere"` does in Python.

/** Centre and scale of points: their mean, and the root mean squared distance to it. */
export function fitLift(X) {
  const n = X.length / 2;
  let a = 0;
  let b = 0;
  for (let i = 0; i < n; i++) {
    a += X[2 * i] / n;
    b += X[2 * i + 1] / n;
  }
  let spread = 0;
  for (let i = 0; i < n; i++) spread += ((X[2 * i] - a) ** 2 + (X[2 * i + 1] - b) ** 2) / n;
  return { a, b, scale: spread > 0 ? Math.sqrt(spread) : 1 };
}

/**
 * Gap of two points, from their difference: |U∧V|² / (|U||V|(|U||V| + U·V)) with U = (u, 1),
 * V = (v, 1). Nothing cancels, so that near points keep all their digits.
 */
export function gapOf(lift, x1, x2, z1, z2) {
  const d1 = (z1 - x1) / lift.scale;
  const d2 = (z2 - x2) / lift.scale;
  if (d1 === 0 && d2 === 0) return 0;
  const u1 = (x1 - lift.a) / lift.scale;
  const u2 = (x2 - lift.b) / lift.scale;
  const v1 = (z1 - lift.a) / lift.scale;
  const v2 = (z2 - lift.b) / lift.scale;
  const p = Math.sqrt((1 + u1 * u1 + u2 * u2) * (1 + v1 * v1 + v2 * v2));
  const q = 1 + u1 * v1 + u2 * v2;
  const cross = u1 * d2 - u2 * d1;
  if (q <= p / 2) return Math.min(2, 1 - q / p);
  return (d1 * d1 + d2 * d2 + cross * cross) / (p * (p + q));
}

/** Images on the sphere, three coordinates a point. */
export function images(lift, X) {
  const n = X.length / 2;
  const out = new Float64Array(3 * n);
  for (let i = 0; i < n; i++) {
    const u = (X[2 * i] - lift.a) / lift.scale;
    const v = (X[2 * i + 1] - lift.b) / lift.scale;
    const r = 1 / Math.sqrt(1 + u * u + v * v);
    out[3 * i] = u * r;
    out[3 * i + 1] = v * r;
    out[3 * i + 2] = r;
  }
  return out;
}

/** Distinct points in the order in which they first appear, with what was there. */
export function distinct(X) {
  const place = new Map();
  const first = [];
  const member = new Int32Array(X.length / 2);
  for (let i = 0; i < member.length; i++) {
    // -0 and 0 are one number.
    const key = `${X[2 * i] + 0},${X[2 * i + 1] + 0}`;
    let at = place.get(key);
    if (at === undefined) {
      at = first.length;
      place.set(key, at);
      first.push(i);
    }
    member[i] = at;
  }
  return { first, member };
}
