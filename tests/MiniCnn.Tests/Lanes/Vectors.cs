namespace MiniCnn.Tests;

/// <summary>Runs layers with vectors of the given number of floats. Vectors wider than those of the machine are emulated.</summary>
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
