using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Squared error of each element, (output − target)². Outputs can have any shape.</summary>
/// <remarks>
/// ∂loss/∂output = 2 · (output − target). If there are no elements, the mean is NaN, as in PyTorch.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html.
/// </remarks>
/// <param name="reduction">How Forward reduces the losses to one number.</param>
/// <exception cref="ArgumentException">The reduction does not exist.</exception>
public sealed class MseLoss(Reduction reduction = Reduction.Mean) : Loss(reduction)
{
    private protected override double Compute(Tensor<float> outputs, Tensor<float> targets)
    {
        Begin(outputs, outputs.Lengths);
        ElementLoss.Run(new Square<float>(), outputs, targets, Losses, Slopes);
        return outputs.FlattenedLength;
    }

    internal readonly struct Square<T> : IElementLoss<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Of<V>(V x, V target, int i, out V loss, out V slope) where V : struct, ILanes<V, T>
        {
            V d = x - target;
            loss = d * d;
            slope = d + d;
        }
    }
}
