namespace MiniCnn;

/// <summary>Which sums Kaiming's initialisation keeps at one size from layer to layer.</summary>
public enum FanMode
{
    /// <summary>Those of the forward pass: by the products in one output.</summary>
    FanIn,

    /// <summary>Those of the backward pass: by the products that one input goes into.</summary>
    FanOut,
}
