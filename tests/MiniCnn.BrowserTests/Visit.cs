using Microsoft.Playwright;

namespace MiniCnn.BrowserTests;

/// <summary>A window that shows a page. Closed when disposed of.</summary>
sealed class Visit : IAsyncDisposable
{
    int loads;

    public Visit(IPage page)
    {
        Page = page;
        page.Request += (_, request) => Requests.Add(request.Url);
        page.Console += (_, message) => Complaints.Add($"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Complaints.Add($"error: {error}");
        page.Dialog += (_, dialog) =>
        {
            Complaints.Add($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();                           // a page waits for it
        };
        page.Load += (_, _) => Interlocked.Increment(ref loads);
    }

    public IPage Page { get; }

    /// <summary>All that was asked for.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>What stands on the console, errors and dialogs.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>How often a page was loaded.</summary>
    public int Loads => Volatile.Read(ref loads);

    public ILocator State => Page.Locator(".state");

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();

    /// <summary>Fails with the faults that a function of look.js finds.</summary>
    public async Task FindsNone(string function)
    {
        string[] faults = await Page.EvaluateAsync<string[]>($"look.{function}()");
        Assert.True(faults is [], $"{function}:\n{string.Join('\n', faults.Take(20))}");
    }

    /// <summary>Opens what can be opened, and writes values below each chart.</summary>
    public async Task<Visit> Unfold()
    {
        await Page.EvaluateAsync("look.unfold()");
        return this;
    }
}
