using MiniCnn.Imaging;
using MiniCnn.OnnxModels;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(Layer))]
    [InlineData(typeof(Picture))]
    [InlineData(typeof(OnnxModel))]
    [InlineData(typeof(ConsoleProgress))]
    public void The_public_API_is_what_was_decided(Type some) => PublicApi.IsAsDecided(some.Assembly);
}
