using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class PublicApiTests
{
    [Theory]
    [InlineData(typeof(Layer))]
    [InlineData(typeof(Picture))]
    public void The_public_API_is_what_was_decided(Type some) => PublicApi.IsAsDecided(some.Assembly);
}
