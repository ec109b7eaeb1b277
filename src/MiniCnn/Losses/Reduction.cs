namespace MiniCnn;

/// <summary>How <see cref="Loss.Forward"/> makes one number of the losses; PyTorch's 'none' is <see cref="Loss.ForwardEach"/>.</summary>
public enum Reduction
{
    /// <summary>Their mean; for <see cref="CrossEntropyLoss"/> of labels, their sum divided by the sum of the labels' weights.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,
}
