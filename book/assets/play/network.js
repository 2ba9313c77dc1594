// The network of the paper: hidden layers of hyperbolic tangents and a linear classifier (lil.models.LIL in JavaScript),
// its backward pass written out, and Adam. All arrays are Float64Array, with one row a point. A step allocates nothing.

function playNetwork() {
  "use strict";

  /** Return a network of zeros. sizes: inputs, hidden layers, classes. weights[l] has a row of inputs for each output. */
  function create(sizes) {
    const layers = sizes.slice(1);
    return {
      sizes,
      weights: layers.map((outputs, l) => new Float64Array(outputs * sizes[l])),
      biases: layers.map((outputs) => new Float64Array(outputs)),
    };
  }

  /** Draw all weights and biases uniformly within ±1/√inputs, as torch.nn.Linear does. */
  function draw(network, random) {
    network.weights.forEach((weights, l) => {
      const bound = 1 / Math.sqrt(network.sizes[l]);
      for (const values of [weights, network.biases[l]]) {
        for (let k = 0; k < values.length; k++) values[k] = bound * (2 * random() - 1);
      }
    });
    return network;
  }

  /** Return the arrays for passes of n points: values[l] and slopes[l], the loss's derivatives by them, for each layer l. */
  function workspace(sizes, n) {
    const rows = () => sizes.map((size) => new Float64Array(n * size));
    return { n, values: rows(), slopes: rows(), gradient: create(sizes) };
  }

  /** Compute all layers of the points in work.values[0]. The last layer holds the logits, the one before is Φ. */
  function forward(network, work) {
    const last = network.weights.length - 1;
    network.weights.forEach((weights, l) => {
      affine(work.values[l], weights, network.biases[l], work.values[l + 1], work.n, network.sizes[l], network.sizes[l + 1]);
      if (l < last) {
        const values = work.values[l + 1];
        for (let k = 0; k < values.length; k++) values[k] = Math.tanh(values[k]);
      }
    });
  }

  /** out = x Wᵀ + b. Four outputs at a time, so that their sums do not wait for each other. */
  function affine(x, weights, biases, out, n, inputs, outputs) {
    for (let p = 0; p < n; p++) {
      const row = p * inputs, to = p * outputs;
      let o = 0;
      for (; o + 3 < outputs; o += 4) {
        const w0 = o * inputs, w1 = w0 + inputs, w2 = w1 + inputs, w3 = w2 + inputs;
        let s0 = biases[o], s1 = biases[o + 1], s2 = biases[o + 2], s3 = biases[o + 3];
        for (let i = 0; i < inputs; i++) {
          const value = x[row + i];
          s0 += value * weights[w0 + i];
          s1 += value * weights[w1 + i];
          s2 += value * weights[w2 + i];
          s3 += value * weights[w3 + i];
        }
        out[to + o] = s0;
        out[to + o + 1] = s1;
        out[to + o + 2] = s2;
        out[to + o + 3] = s3;
      }
      for (; o < outputs; o++) {
        let sum = biases[o];
        for (let i = 0; i < inputs; i++) sum += x[row + i] * weights[o * inputs + i];
        out[to + o] = sum;
      }
    }
  }

  /**
   * Return the cross-entropy of the softmax, averaged over the points, and write its derivatives by the logits.
   * The derivative of a point is (softmax − one-hot label) / n.
   */
  function crossEntropy(work, labels) {
    const logits = work.values.at(-1), slopes = work.slopes.at(-1), classes = logits.length / work.n;
    let loss = 0;
    for (let p = 0; p < work.n; p++) {
      const row = p * classes;
      let most = -Infinity, sum = 0;
      for (let c = 0; c < classes; c++) most = Math.max(most, logits[row + c]);
      for (let c = 0; c < classes; c++) sum += slopes[row + c] = Math.exp(logits[row + c] - most);
      for (let c = 0; c < classes; c++) slopes[row + c] /= sum * work.n;
      loss += most + Math.log(sum) - logits[row + labels[p]];
      slopes[row + labels[p]] -= 1 / work.n;
    }
    return loss / work.n;
  }

  /** Write the derivatives by Φ of a loss that the classifier's outputs carry. An isometry term adds its own to them. */
  function backwardClassifier(network, work) {
    backwardInputs(network, work, network.weights.length - 1);
  }

  /**
   * Carry the derivatives from Φ back through the hidden layers, each times tanh' = 1 − tanh².
   * With toWeights fill work.gradient; with toInputs go on to work.slopes[0].
   */
  function backward(network, work, { toWeights = false, toInputs = false }) {
    const last = network.weights.length - 1;
    for (let l = last; l >= 0; l--) {
      if (l < last) {
        const values = work.values[l + 1], slopes = work.slopes[l + 1];
        for (let k = 0; k < slopes.length; k++) slopes[k] *= 1 - values[k] * values[k];
        if (l > 0 || toInputs) backwardInputs(network, work, l);
      }
      if (toWeights) backwardWeights(network, work, l);
    }
  }

  /** slopes[l] = slopes[l + 1] W */
  function backwardInputs(network, work, l) {
    const weights = network.weights[l], from = work.slopes[l + 1], to = work.slopes[l];
    const inputs = network.sizes[l], outputs = network.sizes[l + 1];
    to.fill(0);
    for (let p = 0; p < work.n; p++) {
      const row = p * inputs, source = p * outputs;
      let o = 0;
      for (; o + 3 < outputs; o += 4) {
        const s0 = from[source + o], s1 = from[source + o + 1], s2 = from[source + o + 2], s3 = from[source + o + 3];
        const w0 = o * inputs, w1 = w0 + inputs, w2 = w1 + inputs, w3 = w2 + inputs;
        for (let i = 0; i < inputs; i++) {
          to[row + i] += s0 * weights[w0 + i] + s1 * weights[w1 + i] + s2 * weights[w2 + i] + s3 * weights[w3 + i];
        }
      }
      for (; o < outputs; o++) {
        for (let i = 0; i < inputs; i++) to[row + i] += from[source + o] * weights[o * inputs + i];
      }
    }
  }

  /** The gradient by the weights, slopes[l + 1]ᵀ values[l], and by the biases. Four points at a time. */
  function backwardWeights(network, work, l) {
    const slopes = work.slopes[l + 1], values = work.values[l];
    const inputs = network.sizes[l], outputs = network.sizes[l + 1];
    const weights = work.gradient.weights[l].fill(0), biases = work.gradient.biases[l].fill(0);
    let p = 0;
    for (; p + 3 < work.n; p += 4) {
      const v0 = p * inputs, v1 = v0 + inputs, v2 = v1 + inputs, v3 = v2 + inputs;
      for (let o = 0; o < outputs; o++) {
        const at = p * outputs + o, row = o * inputs;
        const s0 = slopes[at], s1 = slopes[at + outputs], s2 = slopes[at + 2 * outputs], s3 = slopes[at + 3 * outputs];
        for (let i = 0; i < inputs; i++) {
          weights[row + i] += s0 * values[v0 + i] + s1 * values[v1 + i] + s2 * values[v2 + i] + s3 * values[v3 + i];
        }
        biases[o] += s0 + s1 + s2 + s3;
      }
    }
    for (; p < work.n; p++) {
      for (let o = 0; o < outputs; o++) {
        const slope = slopes[p * outputs + o];
        for (let i = 0; i < inputs; i++) weights[o * inputs + i] += slope * values[p * inputs + i];
        biases[o] += slope;
      }
    }
  }

  /** Return the moments of Adam for a network, all 0. */
  function adamState(sizes) {
    return { step: 0, mean: create(sizes), square: create(sizes) };
  }

  /** Take a step of Adam along the gradient, with PyTorch's defaults: rates of decay 0.9 and 0.999, ε = 1e-8. */
  function adam(network, gradient, state, rate) {
    state.step++;
    const unbiasedMean = 1 - 0.9 ** state.step, unbiasedSquare = Math.sqrt(1 - 0.999 ** state.step);
    for (const kind of ["weights", "biases"]) {
      network[kind].forEach((values, l) => {
        const slopes = gradient[kind][l], mean = state.mean[kind][l], square = state.square[kind][l];
        for (let k = 0; k < values.length; k++) {
          mean[k] = 0.9 * mean[k] + 0.1 * slopes[k];
          square[k] = 0.999 * square[k] + 0.001 * slopes[k] * slopes[k];
          values[k] -= ((rate / unbiasedMean) * mean[k]) / (Math.sqrt(square[k]) / unbiasedSquare + 1e-8);
        }
      });
    }
  }

  /** Return the class of the largest logit of a point. */
  function predicted(work, point) {
    const logits = work.values.at(-1), classes = logits.length / work.n;
    const row = logits.subarray(point * classes, (point + 1) * classes);
    return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
  }

  return { create, draw, workspace, forward, crossEntropy, backwardClassifier, backward, adamState, adam, predicted };
}
