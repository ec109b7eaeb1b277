namespace MiniCnn.Tests;

/// <summary>Runs layers with vectors of so many floats. Wider than the machine, a vector is software.</summary>
static class Vectors
{
    public static void Of(int width, Action action)
    {
        Simd.Width = width;
        try
        {
            action();
        }
        finally
        {
            Simd.Width = 0;                                              // the machine's again
        }
    }
}
