namespace MiniCnn;

/// <summary>The fan that Kaiming initialization uses, as PyTorch's mode.</summary>
public enum FanMode
{
    /// <summary>Number of products in one output. It keeps the variance constant from layer to layer in the forward pass.</summary>
    FanIn,

    /// <summary>Number of products that contain one input. It keeps the variance constant from layer to layer in the backward pass.</summary>
    FanOut,
}
