namespace MiniCnn;

/// <summary>The predicted class of an image.</summary>
/// <param name="Label">Index of the class with the largest probability.</param>
/// <param name="ClassName">Name of this class.</param>
/// <param name="Probability">Probability of this class, from 0 to 1.</param>
/// <param name="Probabilities">Probabilities of all classes, in the order of the class indices. They sum to 1.</param>
public sealed record Prediction(int Label, string ClassName, float Probability, IReadOnlyList<float> Probabilities);
