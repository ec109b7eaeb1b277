using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MiniCnn;

/// <summary>Work written once over a lane type.</summary>
interface ILaneWork
{
    void Run<V>() where V : struct, ILanes<V, float>;
}

/// <summary>The one switch on the machine's vector width.</summary>
static class Simd
{
    /// <summary>Floats in this machine's vectors.</summary>
    public static int Width =>
        Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : Vector128.IsHardwareAccelerated ? 4 : 1;

    /// <summary>
    /// Runs the work with the widest vectors that this machine has and that are not longer than a length: the lanes of a tensor, or the
    /// columns of a row where vectors lie along it.
    /// </summary>
    // Not inlined: see Workers.Run.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<W>(int length, in W work) where W : struct, ILaneWork
    {
        switch (Math.Min(length, Width))
        {
            case >= 16: work.Run<Lanes16>(); break;
            case >= 8: work.Run<Lanes8>(); break;
            case >= 4: work.Run<Lanes4>(); break;
            default: work.Run<Scalar<float>>(); break;
        }
    }
}
