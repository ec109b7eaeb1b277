using System.Numerics;
using System.Runtime.Intrinsics;

namespace MiniCnn;

#pragma warning disable CS8500 // pointers to structs that hold objects: the structs stay on the stack of the caller, which waits for the work

/// <summary>Work that consists of numbered, independent parts, written once over a lane type.</summary>
interface ILaneWork<T> where T : unmanaged
{
    void Run<V>(int part) where V : struct, ILanes<V, T>;
}

/// <summary>
/// Selects the vector type for work on a tensor: vectors over its lanes or, with one lane, along its rows or over its channels. Work in double runs the
/// same code with one number at a time.
/// </summary>
static unsafe class Simd
{
    [ThreadStatic]
    static int held;

    /// <summary>Number of floats in the widest vector of this machine. Tests set another width for work of their thread; 0 restores the default.</summary>
    public static int Width
    {
        get => held > 0 ? held : Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : Vector128.IsHardwareAccelerated ? 4 : 1;
        set => held = value;
    }

    /// <summary>
    /// Returns the number of elements in the vectors for work on a tensor: the widest vector of this machine that is not longer than the lanes or, with one
    /// lane, than a row of <paramref name="row"/> elements. The result is 1 with one lane and no row.
    /// </summary>
    public static int Vector<T>(LaneTensor<T> tensor, int row = 1) where T : unmanaged =>
        typeof(T) == typeof(float) ? Math.Min(Width, tensor.Lanes > 1 ? tensor.Lanes : row) switch { >= 16 => 16, >= 8 => 8, >= 4 => 4, _ => 1 } : 1;

    /// <summary>Runs parts of size numbers each. Small parts are handed out several at a time.</summary>
    public static void Run<T, W>(LaneTensor<T> tensor, int parts, nint size, in W work, int row = 1)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, ILaneWork<T> => Run<T, W>(Vector(tensor, row), parts, size, work);

    /// <summary>Runs a part for every plane of a tensor.</summary>
    public static void RunPlanes<T, W>(LaneTensor<T> tensor, in W work, int row = 1)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, ILaneWork<T> =>
        Run<T, W>(Vector(tensor, row), tensor.Planes, tensor.PlanePitch, work);

    /// <summary>Runs large parts that work on contiguous numbers.</summary>
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
