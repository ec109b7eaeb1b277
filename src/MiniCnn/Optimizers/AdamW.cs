namespace MiniCnn;

/// <summary><see cref="Adam"/> with decoupled weight decay: the decay does not depend on the gradients.</summary>
/// <remarks>
/// Each step first computes p = p − learningRate · weightDecay · p, then Adam's step with g = gradient. Usually biases and norm weights have no weight
/// decay; <see cref="Optimizer"/> has an example.
/// Source: Loshchilov, Hutter: Decoupled Weight Decay Regularization, 2019, as in
/// https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html.
/// </remarks>
/// <param name="parameters">Parameters to update.</param>
/// <param name="learningRate">Learning rate, at least 0.</param>
/// <param name="beta1">β₁, the decay rate of m, from 0 to below 1.</param>
/// <param name="beta2">β₂, the decay rate of v, from 0 to below 1.</param>
/// <param name="epsilon">ε, at least 0. It prevents a division by zero.</param>
/// <param name="weightDecay">Decoupled weight decay, at least 0.</param>
/// <exception cref="ArgumentException">A number is negative or NaN, or β₁ or β₂ is not from 0 to below 1.</exception>
public sealed class AdamW(
    IEnumerable<Parameter> parameters, float learningRate = 1e-3f, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0.01)
    : Adam([.. parameters], learningRate, beta1, beta2, epsilon, weightDecay, decoupled: true);
