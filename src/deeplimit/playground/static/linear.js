// Positive definite systems, by Cholesky's factors.

/**
 * Solve A c = Y. A (n × n, row by row) is overwritten by its factor; Y (n × t) by the solution.
 * False if A is not positive definite to rounding.
 */
export function solvePositive(A, Y, n, t) {
  for (let i = 0; i < n; i++) {
    const ri = i * n;
    for (let j = 0; j <= i; j++) {
      const rj = j * n;
      let sum = A[ri + j];
      let k = 0;
      let s0 = 0;
      let s1 = 0;
      for (; k + 1 < j; k += 2) {
        s0 += A[ri + k] * A[rj + k];
        s1 += A[ri + k + 1] * A[rj + k + 1];
      }
      if (k < j) s0 += A[ri + k] * A[rj + k];
      sum -= s0 + s1;
      if (i === j) {
        if (!(sum > 0)) return false;
        A[ri + i] = Math.sqrt(sum);
      } else {
        A[ri + j] = sum / A[rj + j];
      }
    }
  }
  for (let c = 0; c < t; c++) {
    for (let i = 0; i < n; i++) {
      let sum = Y[i * t + c];
      for (let k = 0; k < i; k++) sum -= A[i * n + k] * Y[k * t + c];
      Y[i * t + c] = sum / A[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = Y[i * t + c];
      for (let k = i + 1; k < n; k++) sum -= A[k * n + i] * Y[k * t + c];
      Y[i * t + c] = sum / A[i * n + i];
    }
  }
  return true;
}
