using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = max(x, 0), element by element; the gradient passes where x is above 0.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html.</remarks>
public sealed class ReLU : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass) =>
        Workers.RunPlanes(y, new ForwardPlane<T, V>(x, y));

    internal override void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass)
    {
        if (dx is not null)
            Workers.RunPlanes(dx, new BackwardPlane<T, V>(y, dy, dx));
    }

    readonly unsafe struct ForwardPlane<T, V>(LaneTensor<T> x, LaneTensor<T> y) : IWork
        where T : unmanaged where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int plane)
        {
            for (int row = 0; row < y.Shape.Height; row++)
            {
                T* px = x.At(plane, row), py = y.At(plane, row);
                for (int i = 0; i < y.RowLength; i += V.Count)
                    V.Positive(V.Load(px + i)).Store(py + i);
            }
        }
    }

    readonly unsafe struct BackwardPlane<T, V>(LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T> dx) : IWork
        where T : unmanaged where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int plane)
        {
            V zero = V.Broadcast(default);
            for (int row = 0; row < dx.Shape.Height; row++)
            {
                T* py = y.At(plane, row), pdy = dy.At(plane, row), pdx = dx.At(plane, row);
                for (int i = 0; i < dx.RowLength; i += V.Count)
                    V.Select(V.Equal(V.Load(py + i), zero), zero, V.Load(pdy + i)).Store(pdx + i);
            }
        }
    }
}
