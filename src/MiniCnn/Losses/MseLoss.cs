using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>(output − target)², for each element; outputs of any shape.</summary>
/// <remarks>
/// Its slope is 2 · (output − target). For no elements the mean is NaN, as PyTorch has it.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html.
/// </remarks>
/// <param name="reduction">How Forward makes one number of the losses.</param>
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
