using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class TestCardTests
{
    [Fact]
    public void The_card_has_edges_at_every_angle_fine_lines_and_a_ramp()
    {
        Picture card = TestCard.Draw(), grey = card.ToGrey();
        Assert.Equal((224, 224, 3), (card.Width, card.Height, card.Channels));
        int[] dx = Slopes(ImageFilters.SobelVertical.DividedByArea()), dy = Slopes(ImageFilters.SobelHorizontal.DividedByArea());
        int[] angles = [.. Enumerable.Range(0, 224 * 224)
            .Where(i => Math.Abs(i % 224 - 65) + Math.Abs(i / 224 - 65) < 45 && dx[i] * dx[i] + dy[i] * dy[i] > 500)     // in the star
            .Select(i => (int)(Math.Atan2(dy[i], dx[i]) * 18 / Math.PI + 18.5) % 36)];
        Assert.All(Enumerable.Range(0, 36), tenDegrees => Assert.True(angles.Count(a => a == tenDegrees) > 20, $"few edges at {10 * tenDegrees}°"));
        Assert.Contains(Enumerable.Range(0, 224 * 223), i =>
            Math.Abs(grey.Pixels[i] - grey.Pixels[i + 1]) > 200 && Math.Abs(grey.Pixels[i + 1] - grey.Pixels[i + 2]) > 200);
        byte[] ramp = grey.Pixels.AsSpan(224 * 148, 224).ToArray();
        Assert.True(ramp.Distinct().Count() > 190);
        Assert.Contains(Enumerable.Range(0, card.Pixels.Length / 3), i => card.Pixels[3 * i] > card.Pixels[3 * i + 1] + 100);

        // What is bright above or to the left, less what is bright below or to the right.
        int[] Slopes(ImageFilter filter) =>
            [.. filter.Apply(grey, 1, PaddingMode.Replicate).Pixels.Zip(filter.Flipped().Apply(grey, 1, PaddingMode.Replicate).Pixels, (a, b) => a - b)];
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(40, 300)]
    [InlineData(612, 459)]
    public void The_card_is_the_same_each_time_at_any_size(int width, int height)
    {
        Picture card = TestCard.Draw(width, height);
        Assert.Equal((width, height), (card.Width, card.Height));
        Assert.Equal(card.Pixels, TestCard.Draw(width, height).Pixels);
        Assert.Throws<ArgumentOutOfRangeException>(() => TestCard.Draw(15, height));
    }
}
