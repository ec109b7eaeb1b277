namespace MiniCnn;

/// <summary>How <see cref="Loss.Forward"/> reduces the losses to one number. For PyTorch's 'none', use <see cref="Loss.ForwardEach"/>.</summary>
public enum Reduction
{
    /// <summary>
    /// The mean of the losses. For <see cref="CrossEntropyLoss"/> with labels, the sum of the losses divided by the sum of the class weights of the labels.
    /// </summary>
    Mean,

    /// <summary>The sum of the losses.</summary>
    Sum,
}
