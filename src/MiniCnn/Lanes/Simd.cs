using System.Numerics;
using System.Runtime.Intrinsics;

namespace MiniCnn;

#pragma warning disable CS8500 // pointers to structs that hold objects: they stay on the stack of whoever waits for the work

/// <summary>Work of numbered, independent parts, written once over a lane type.</summary>
interface ILaneWork<T> where T : unmanaged
{
    void Run<V>(int part) where V : struct, ILanes<V, T>;
}

/// <summary>
/// The one switch on width and direction: work on a tensor takes vectors over its lanes, or where there is one lane along the rows or over channels.
/// double runs number by number, through the same code.
/// </summary>
static unsafe class Simd
{
    [ThreadStatic]
    static int held;

    /// <summary>Floats in this machine's vectors. Tests set others for the work that their thread hands out, 0 for the machine's again.</summary>
    public static int Width
    {
        get => held > 0 ? held : Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : Vector128.IsHardwareAccelerated ? 4 : 1;
        set => held = value;
    }

    /// <summary>
    /// Numbers in the vectors that work on a tensor takes: the widest that this machine has and that are not longer than its lanes, or where
    /// there is one lane, than a row of so many numbers; number by number if no row is given.
    /// </summary>
    public static int Vector<T>(LaneTensor<T> tensor, int row = 1) where T : unmanaged =>
        typeof(T) == typeof(float) ? Math.Min(Width, tensor.Lanes > 1 ? tensor.Lanes : row) switch { >= 16 => 16, >= 8 => 8, >= 4 => 4, _ => 1 } : 1;

    /// <summary>Runs parts of so many numbers each; small ones go several at a time.</summary>
    public static void Run<T, W>(LaneTensor<T> tensor, int parts, nint size, in W work, int row = 1)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, ILaneWork<T> => Run<T, W>(Vector(tensor, row), parts, size, work);

    /// <summary>Runs a part for every plane of a tensor.</summary>
    public static void RunPlanes<T, W>(LaneTensor<T> tensor, in W work, int row = 1)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, ILaneWork<T> =>
        Run<T, W>(Vector(tensor, row), tensor.Planes, tensor.PlanePitch, work);

    /// <summary>Runs large parts, on numbers that follow one another.</summary>
    public static void Run<W>(int parts, in W work) where W : struct, ILaneWork<float> => Run<float, W>(Width, parts, nint.MaxValue, work);

    static void Run<T, W>(int vector, int parts, nint size, in W work) where T : unmanaged, IFloatingPointIeee754<T> where W : struct, ILaneWork<T>
    {
        delegate*<void*, int, int, void> run = vector switch
        {
            16 => &Parts<T, Lanes16<T>, W>,
            8 => &Parts<T, Lanes8<T>, W>,
            4 => &Parts<T, Lanes4<T>, W>,
            _ => &Parts<T, Scalar<T>, W>,
        };
        W shared = work;
        Workers.Run(parts, size, run, &shared);
    }

    static void Parts<T, V, W>(void* work, int first, int end) where T : unmanaged where V : struct, ILanes<V, T> where W : struct, ILaneWork<T>
    {
        for (int part = first; part < end; part++)
            ((W*)work)->Run<V>(part);
    }
}
