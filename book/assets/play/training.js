// A training, step by step (lil.training.train in JavaScript), and the worker that runs it.

function playTraining(Network, Isometry) {
  "use strict";

  const COMPONENTS = 3;  // principal components that the page draws

  /** Return a training of a network on points x with labels: its loss is cross-entropy + beta · isometry. */
  function create({ sizes, x, labels, beta, rate, network }) {
    const n = labels.length, width = sizes.at(-2), pairs = Isometry.withinClass(labels);
    const work = Network.workspace(sizes, n), adam = Network.adamState(sizes);
    const xDist = Isometry.distances(x, sizes[0], pairs, new Float64Array(pairs.first.length));
    const zDist = new Float64Array(xDist.length);
    const z = work.values.at(-2), axes = new Float64Array(width * COMPONENTS);
    for (let c = 0; c < COMPONENTS; c++) axes[c * width + c] = 1;
    work.values[0].set(x);

    /** Return both terms of the loss at the present weights, without the weight β. */
    function losses() {
      Network.forward(network, work);
      const crossEntropy = Network.crossEntropy(work, labels);
      Isometry.distances(z, width, pairs, zDist);
      return { crossEntropy, isometry: Isometry.loss(zDist, xDist, pairs) };
    }

    /** Write the gradient of the whole loss into work.gradient. Without β no pair is looked at. */
    function gradient() {
      Network.forward(network, work);
      Network.crossEntropy(work, labels);
      Network.backwardClassifier(network, work);
      if (beta > 0) {
        Isometry.distances(z, width, pairs, zDist);
        Isometry.addGradient(z, width, zDist, xDist, pairs, beta, work.slopes.at(-2));
      }
      Network.backward(network, work, { toWeights: true });
      return work.gradient;
    }

    /** Take one step of Adam on all points. */
    function step() {
      Network.adam(network, gradient(), adam, rate);
    }

    /** Return what the page shows: the losses, the share of right answers, the distances and a view of Φ. */
    function report() {
      const found = losses();
      let right = 0;
      for (let p = 0; p < n; p++) right += Network.predicted(work, p) === labels[p];
      return {
        ...found, step: adam.step, accuracy: right / n, correlation: Isometry.correlation(zDist, xDist),
        zDist: Float32Array.from(zDist), view: principalComponents(z, width, axes),
      };
    }

    return { network, xDist, losses, gradient, step, report };
  }

  /**
   * Return the rows of z, centred, along their first principal components. axes is the last answer and is improved by
   * orthogonal iteration, so that the view turns gently where the order of the components changes.
   */
  function principalComponents(z, width, axes, rounds = 20) {
    const n = z.length / width, mean = new Float64Array(width), covariance = new Float64Array(width * width);
    for (let k = 0; k < z.length; k++) mean[k % width] += z[k] / n;
    const centred = z.map((value, k) => value - mean[k % width]);
    for (let p = 0; p < n; p++) {
      for (let a = 0; a < width; a++) {
        for (let b = 0; b < width; b++) covariance[a * width + b] += centred[p * width + a] * centred[p * width + b] / n;
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (let c = 0; c < COMPONENTS; c++) {
        const axis = axes.subarray(c * width, (c + 1) * width), old = axis.slice();
        for (let a = 0; a < width; a++) {
          axis[a] = 1e-12 * old[a];
          for (let b = 0; b < width; b++) axis[a] += covariance[a * width + b] * old[b];
        }
        for (let before = 0; before < c; before++) {
          const other = axes.subarray(before * width, (before + 1) * width);
          const along = other.reduce((sum, value, k) => sum + value * axis[k], 0);
          for (let k = 0; k < width; k++) axis[k] -= along * other[k];
        }
        const length = Math.hypot(...axis);
        for (let k = 0; k < width; k++) axis[k] /= length;
      }
    }
    const view = new Float32Array(n * COMPONENTS);
    for (let p = 0; p < n; p++) {
      for (let c = 0; c < COMPONENTS; c++) {
        let sum = 0;
        for (let k = 0; k < width; k++) sum += centred[p * width + k] * axes[c * width + k];
        view[p * COMPONENTS + c] = sum;
      }
    }
    return view;
  }

  return { create, principalComponents };
}

/**
 * Answer the messages of the page in a worker. {start} makes a training and {steps} trains it further. Each answer is a
 * report with the milliseconds that the steps took, so that the page can choose how many to ask for next.
 */
function playWorker(scope, Toys, Network, Training) {
  "use strict";

  let training, run;

  scope.onmessage = ({ data }) => {
    const begun = performance.now();
    let points = {};
    if (data.start) {
      const { seed, ...settings } = data.start;
      const network = Network.draw(Network.create(settings.sizes), Toys.generator(~seed));  // the data are drawn with seed itself
      training = Training.create({ ...settings, network });
      run = data.run;
      points = { xDist: training.xDist };
    }
    for (let k = 0; k < (data.steps ?? 0); k++) training.step();
    scope.postMessage({ run, ...training.report(), ...points, milliseconds: performance.now() - begun });
  };
}
