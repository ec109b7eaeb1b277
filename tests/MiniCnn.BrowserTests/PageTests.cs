using System.Globalization;
using Microsoft.Playwright;

namespace MiniCnn.BrowserTests;

/// <summary>Each kind of report, as a browser shows it.</summary>
[Collection(nameof(Browser))]
public sealed class PageTests(Browser browser)
{
    public static TheoryData<string> Kinds => [.. Runs.Kinds];

    public static IEnumerable<object[]> Widths =>
        from name in Runs.Kinds from width in new[] { 360, 1280 } select new object[] { name, width };

    public static IEnumerable<object[]> Schemes =>
        from name in Runs.Kinds from scheme in new[] { ColorScheme.Light, ColorScheme.Dark } select new object[] { name, scheme };

    async Task<Visit> Open(string name, int width = 1280, BrowserNewPageOptions? options = null)
    {
        Visit visit = await browser.Open(browser.Runs[name], new(options ?? new()) { ViewportSize = new() { Width = width, Height = 900 } });
        await visit.Unfold();
        return visit;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Nothing_but_the_file_is_asked_for_and_nothing_is_complained_of(string name)
    {
        await using Visit visit = await Open(name);
        await visit.Page.ReloadAsync();
        await visit.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await visit.FindsNone("broken");                         // all pictures are decoded then
        string file = new Uri(browser.Runs[name]).AbsoluteUri;
        Assert.Contains(file, visit.Requests);
        Assert.DoesNotContain(visit.Requests, url => url != file && !url.StartsWith("data:", StringComparison.Ordinal));
        Assert.Empty(visit.Complaints);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public async Task Nothing_is_wider_than_the_window_or_outside_of_its_box(string name, int width)
    {
        await using Visit visit = await Open(name, width);
        await visit.FindsNone("spilled");
        await visit.FindsNone("squeezed");
        await visit.FindsNone("overlaid");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Text_of_twice_the_size_has_room_on_a_phone(string name)
    {
        await using Visit visit = await Open(name, 360);
        string[] sizes = await Sizes();
        await visit.Page.AddStyleTagAsync(new() { Content = "html { font-size: 32px }" });
        Assert.Equal(sizes.Select(size => $"{2 * double.Parse(size[..^2], CultureInfo.InvariantCulture)}px"), await Sizes());
        await visit.FindsNone("spilled");
        await visit.FindsNone("squeezed");

        Task<string[]> Sizes() => visit.Page.EvaluateAsync<string[]>(
            "['h1', 'p', 'dt', 'dd', 'td', 'figcaption'].map(name => getComputedStyle(document.querySelector(name)).fontSize)");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task No_picture_is_broken_and_no_chart_is_empty(string name)
    {
        await using Visit visit = await Open(name);
        Assert.True(await visit.Page.Locator("img").CountAsync() > 0);
        await visit.FindsNone("broken");
        Assert.True(await visit.Page.Locator(".chart").CountAsync() > 0);
        await visit.FindsNone("empty");
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public async Task Text_and_lines_stand_out_in_light_and_in_dark(string name, ColorScheme scheme)
    {
        await using Visit visit = await Open(name, options: new() { ColorScheme = scheme });
        bool isDark = await visit.Page.EvaluateAsync<bool>("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 128");
        Assert.Equal(scheme == ColorScheme.Dark, isDark);
        await visit.FindsNone("faint");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task It_is_readable_without_eyes(string name)
    {
        await using Visit visit = await Open(name);
        await visit.FindsNone("unsaid");
    }

    [Theory]
    [InlineData("photos")]
    [InlineData("masks")]
    public async Task Hostile_names_are_text(string name)
    {
        await using Visit visit = await Open(name);
        Assert.Equal($"done · {(name == "photos" ? Runs.Title : Runs.Folder)}", await visit.Page.TitleAsync());
        await visit.FindsNone("injected");
        await visit.FindsNone("reversed");
        string text = await visit.Page.Locator("body").TextContentAsync() ?? "";
        IEnumerable<string> names = name == "photos" ? Hostile.Shown : Hostile.Classes[^3..].Prepend(Hostile.Script);
        string caption = name == "photos" ? ", predicted as " : " of its pixels are wrong";
        Assert.All(names.Append(caption), shown => Assert.Contains(shown, text, StringComparison.Ordinal));
    }
}
