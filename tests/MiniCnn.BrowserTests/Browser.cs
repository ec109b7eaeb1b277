using Microsoft.Playwright;

namespace MiniCnn.BrowserTests;

/// <summary>Chromium, started once for all tests, and the reports that they look at.</summary>
[CollectionDefinition(nameof(Browser))]
public sealed class Browser : ICollectionFixture<Browser>, IAsyncLifetime
{
    IPlaywright? playwright;
    IBrowser? chromium;

    internal Runs Runs { get; } = new();

    public async Task InitializeAsync()
    {
        playwright = await Playwright.CreateAsync();
        Assertions.SetDefaultExpectTimeout(60_000);              // of a machine that has other work
        if (Find() is string path)
            chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = path, Args = ["--no-sandbox"] });    // root may not use one
    }

    public async Task DisposeAsync()
    {
        if (chromium is not null)
            await chromium.CloseAsync();
        playwright?.Dispose();
        Runs.Dispose();
    }

    /// <summary>A window with a page from a file; what the page asks for and complains of is written down from the beginning.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What is uncommon of the window.</param>
    /// <param name="timeStands">Whether the page's clock stands, but for what the test lets pass: else a page of a run that goes on is read again meanwhile.</param>
    internal async Task<Visit> Open(string path, BrowserNewPageOptions? options = null, bool timeStands = true)
    {
        if (chromium is null)
            Assert.Fail("there is no browser: apt-get install chromium, or set MINICNN_CHROMIUM to the path of a Chromium or Chrome");
        Visit visit = new(await chromium.NewPageAsync(options));
        if (timeStands)
        {
            DateTime now = DateTime.UtcNow;
            await visit.Page.Clock.InstallAsync(new() { TimeDate = now });
            await visit.Page.Clock.PauseAtAsync(now.AddSeconds(1));
        }
        await visit.Page.AddInitScriptAsync(scriptPath: Path.Combine(AppContext.BaseDirectory, "look.js"));
        await visit.Page.GotoAsync(new Uri(path).AbsoluteUri);
        return visit;
    }

    /// <summary>The browser that MINICNN_CHROMIUM names, or the first one on the PATH.</summary>
    static string? Find()
    {
        if (Environment.GetEnvironmentVariable("MINICNN_CHROMIUM") is { Length: > 0 } given)
            return given;
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders.SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
    }
}
