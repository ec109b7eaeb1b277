using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The mean over all elements of (output − target)².</summary>
/// <remarks>
/// Its gradient is 2 · (output − target) / count. For no elements the mean is NaN, as PyTorch has it.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html.
/// </remarks>
public sealed class MseLoss
{
    readonly ElementMean mean = new(nameof(MseLoss));

    /// <summary>The loss of a batch; keeps what <see cref="Backward"/> needs.</summary>
    /// <param name="outputs">What the model gave, of any shape.</param>
    /// <param name="targets">What it should have given, of the same shape.</param>
    /// <exception cref="ArgumentException">Two shapes.</exception>
    public float Forward(Tensor<float> outputs, Tensor<float> targets)
    {
        mean.Begin(outputs, targets);
        return mean.Forward(new Square<float>(), outputs, targets);
    }

    /// <summary>∂loss/∂outputs, of their shape, for the batch of the last Forward.</summary>
    /// <exception cref="InvalidOperationException">There was no Forward, or its gradient has been taken.</exception>
    public Tensor<float> Backward() => mean.Backward();

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
