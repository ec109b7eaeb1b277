using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>A change of what the packages show to others is a decision: MINICNN_UPDATE_API=1 writes it down, and it stands in the commit.</summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(Layer))]
    [InlineData(typeof(Picture))]
    public void The_public_API_is_what_was_decided(Type some)
    {
        string path = Path.Combine(ReadmeTests.Root(), "tests", $"PublicApi.{some.Assembly.GetName().Name}.txt"), api = PublicApi.Of(some.Assembly);
        if (Environment.GetEnvironmentVariable("MINICNN_UPDATE_API") == "1")
            File.WriteAllText(path, api);
        string[] now = api.Split('\n'), decided = File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n');
        Assert.True(now.SequenceEqual(decided), $"not as {Path.GetFileName(path)} has it; MINICNN_UPDATE_API=1 writes it anew\n"
            + string.Concat(decided.Except(now).Select(line => $"- {line}\n").Concat(now.Except(decided).Select(line => $"+ {line}\n"))));
    }
}
