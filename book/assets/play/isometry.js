// The isometry loss in the four steps of lil.isometry, and its gradient written out.
//
//     L_ISO = 1/N² Σ_ij G_ij (d(z_i, z_j) − d(x_i, x_j))²
//
// G_ij counts the pairs of one class, d is Euclidean. The sum runs over i < j and counts each pair twice.

function playIsometry() {
  "use strict";

  /** Step 1. Return the pairs i < j of one class (the matrix G) as two arrays of indices. */
  function withinClass(labels) {
    const first = [], second = [];
    for (let i = 0; i < labels.length; i++) {
      for (let j = i + 1; j < labels.length; j++) {
        if (labels[i] === labels[j]) first.push(i), second.push(j);
      }
    }
    return { first: Int32Array.from(first), second: Int32Array.from(second), n: labels.length };
  }

  /** Step 2. Write the Euclidean distance of each pair of rows of z. */
  function distances(z, width, pairs, out) {
    const { first, second } = pairs;
    for (let p = 0; p < first.length; p++) {
      const a = first[p] * width, b = second[p] * width;
      let sum = 0;
      for (let k = 0; k < width; k++) {
        const difference = z[a + k] - z[b + k];
        sum += difference * difference;
      }
      out[p] = Math.sqrt(sum);
    }
    return out;
  }

  /** Steps 3 and 4. Return the squared mismatch of each pair, twice for its two orders, summed and divided by N². */
  function loss(zDist, xDist, pairs) {
    let sum = 0;
    for (let p = 0; p < zDist.length; p++) sum += (zDist[p] - xDist[p]) ** 2;
    return (2 * sum) / pairs.n ** 2;
  }

  /**
   * Add weight · ∂L_ISO/∂z to slopes: 4/N² Σ_j G_ij (1 − d(x_i, x_j) / d(z_i, z_j)) (z_i − z_j).
   * Swap the two distances for the derivative by x. Two points at one place have no direction and add nothing.
   */
  function addGradient(z, width, zDist, xDist, pairs, weight, slopes) {
    const { first, second } = pairs, factor = (4 * weight) / pairs.n ** 2;
    for (let p = 0; p < first.length; p++) {
      if (zDist[p] === 0) continue;
      const a = first[p] * width, b = second[p] * width, pull = factor * (1 - xDist[p] / zDist[p]);
      for (let k = 0; k < width; k++) {
        const slope = pull * (z[a + k] - z[b + k]);
        slopes[a + k] += slope;
        slopes[b + k] -= slope;
      }
    }
  }

  /** Return Pearson's correlation of two rows of numbers. */
  function correlation(a, b) {
    let meanA = 0, meanB = 0, ab = 0, aa = 0, bb = 0;
    for (let k = 0; k < a.length; k++) meanA += a[k] / a.length, meanB += b[k] / b.length;
    for (let k = 0; k < a.length; k++) {
      const inA = a[k] - meanA, inB = b[k] - meanB;
      ab += inA * inB, aa += inA * inA, bb += inB * inB;
    }
    return ab / Math.sqrt(aa * bb);
  }

  return { withinClass, distances, loss, addGradient, correlation };
}
