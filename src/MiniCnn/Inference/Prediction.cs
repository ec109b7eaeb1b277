namespace MiniCnn;

/// <summary>What a model takes an image for.</summary>
/// <param name="Label">The class of the largest probability.</param>
/// <param name="ClassName">Its name.</param>
/// <param name="Probability">Its probability, from 0 to 1.</param>
/// <param name="Probabilities">Those of all classes, in their order: they add up to 1.</param>
public sealed record Prediction(int Label, string ClassName, float Probability, IReadOnlyList<float> Probabilities);
