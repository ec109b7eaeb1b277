namespace MiniCnn;

/// <summary><see cref="Adam"/> with decoupled weight decay: parameters shrink by it whatever their gradients were.</summary>
/// <remarks>
/// First p = p − learningRate · weightDecay · p, then Adam's step with g = gradient. Biases and norms are better left without decay:
/// see <see cref="Optimizer"/>.
/// Source: Loshchilov, Hutter: Decoupled Weight Decay Regularization, 2019, as in
/// https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html.
/// </remarks>
/// <exception cref="ArgumentException">A negative number, or a β that is not from 0 to below 1.</exception>
public sealed class AdamW(
    IEnumerable<Parameter> parameters, float learningRate = 1e-3f, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0.01)
    : Adam([.. parameters], learningRate, beta1, beta2, epsilon, weightDecay, decoupled: true);
