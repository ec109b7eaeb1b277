using Microsoft.Playwright;
using MiniCnn.Examples.StepByStep;
using MiniCnn.Imaging;

namespace MiniCnn.BrowserTests;

/// <summary>The page of examples/StepByStep, as a browser shows it.</summary>
[Collection(nameof(Browser))]
public sealed class StepByStepTests(Browser browser)
{
    public static TheoryData<int, ColorScheme> Windows => new()
    {
        { 360, ColorScheme.Light }, { 360, ColorScheme.Dark }, { 1280, ColorScheme.Light }, { 1280, ColorScheme.Dark },
    };

    /// <summary>Written once; with few digits, for its looks do not depend on them.</summary>
    internal static string Write(Browser browser)
    {
        string path = browser.Runs.PathOf("step by step");
        if (!File.Exists(path))
        {
            Materials materials = new(
                Picture.Load(PageStep.Resource("photo.jpg")), "a cat by Stéfan van der Walt, CC0", (0.362, 0.388),
                DrawnDigits.Draw(300, seed: 1), DrawnDigits.Draw(100, seed: 2), "digits that the program drew", Seeds: 2);
            File.WriteAllText(path, Lesson.Write(materials, _ => { }));
        }
        return path;
    }

    async Task<Visit> Open(int width = 1280, ColorScheme scheme = ColorScheme.Light, bool script = true) => await browser.Open(
        Write(browser), new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = scheme, JavaScriptEnabled = script });

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task It_fits_the_window_and_is_legible_and_whole(int width, ColorScheme scheme)
    {
        await using Visit visit = await (await Open(width, scheme)).Unfold();
        foreach (string question in (string[])["spilled", "squeezed", "faint", "broken", "unsaid"])
            await visit.FindsNone(question);
        string file = new Uri(Write(browser)).AbsoluteUri;
        Assert.DoesNotContain(visit.Requests, url => url != file && !url.StartsWith("data:", StringComparison.Ordinal));
        Assert.Empty(visit.Complaints);
    }

    [Fact]
    public async Task Text_of_twice_the_size_has_room_on_a_phone()
    {
        await using Visit visit = await Open(360);
        await visit.Page.AddStyleTagAsync(new() { Content = "html { font-size: 32px }" });
        await visit.FindsNone("spilled");
    }

    [Fact]
    public async Task Arrow_keys_go_through_the_frames_without_a_script()
    {
        await using Visit visit = await Open(script: false);
        ILocator frames = visit.Page.Locator(".frames").First, shown = frames.Locator(".frame").Filter(new() { Visible = true });
        Assert.Equal(9, await frames.Locator(".frame").CountAsync());
        await Assertions.Expect(shown.Locator(".formula")).ToHaveTextAsync("1·1 + 2·0 + 4·1 + 4·0 + 7·2 + 3·1 + 4·1 + 5·0 + 2·1 = 28");
        await frames.Locator("input").First.FocusAsync();
        for (int i = 1; i < 8; i++)
            await visit.Page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(shown.Locator(".formula")).ToHaveTextAsync("5·1 + 2·0 + 3·1 + 1·0 + 7·2 + 8·1 + 2·1 + 4·0 + 7·1 = 39");

        // On paper all of them are seen.
        await visit.Page.EmulateMediaAsync(new() { Media = Media.Print });
        await Assertions.Expect(shown).ToHaveCountAsync(9);
    }
}
