namespace MiniCnn.Tests;

/// <summary>Lines that `dotnet test` shows at its end, since it does not show the output of passed tests. See tests/Directory.Build.targets.</summary>
static class Checked
{
    static readonly Lock one = new();

    public static void Says(string line)
    {
        lock (one)
            File.AppendAllText(Path.Combine(AppContext.BaseDirectory, "checked.txt"), line + "\n");
    }
}
