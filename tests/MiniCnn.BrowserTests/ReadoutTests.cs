using System.Globalization;
using Microsoft.Playwright;

namespace MiniCnn.BrowserTests;

/// <summary>The values below a chart are those of the place in it that is pointed at.</summary>
[Collection(nameof(Browser))]
public sealed class ReadoutTests(Browser browser)
{
    const string Loss = ".chart:has(strong:text-is('Loss'))";

    /// <summary>Where the line of a series has its corner, as it is drawn: in the window.</summary>
    static async Task<(float X, float Y)> Corner(IPage page, string series, int index)
    {
        await page.Locator(Loss).ScrollIntoViewIfNeededAsync();
        float[] place = await page.Locator($"{Loss} path[data-name='{series}']").EvaluateAsync<float[]>(
            """
            (line, index) => {
              const [x, y] = line.getAttribute("d").split(/[ML]/)[index + 1].split(" "), p = new DOMPoint(x, y).matrixTransform(line.getScreenCTM());
              return [p.x, p.y];
            }
            """, index);
        return (place[0], place[1]);
    }

    string Expected(int epoch)
    {
        TrainingResult result = browser.Runs.Result!;
        float training = browser.Runs.Losses[epoch * browser.Runs.Losses.Count / result.Epochs.Count - 1];
        double? validation = result.Epochs[epoch - 1].ValidationLoss;
        return string.Create(CultureInfo.InvariantCulture, $"epoch {epoch}: training {training:G5}, validation {validation:G5}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_pointer_is_told_the_values_of_its_epoch(int epoch)
    {
        await using Visit visit = await browser.Open(browser.Runs["photos"]);
        ILocator output = visit.Page.Locator($"{Loss} output"), line = visit.Page.Locator($"{Loss} .pointer");
        await Assertions.Expect(output).ToHaveTextAsync("\u00A0");
        (float x, float y) = await Corner(visit.Page, "validation", epoch - 1);
        await visit.Page.Mouse.MoveAsync(x, y + 20);             // not on the line itself
        await Assertions.Expect(output).ToHaveTextAsync(Expected(epoch));
        await Assertions.Expect(line).ToHaveCSSAsync("visibility", "visible");
        Assert.Equal(x, await line.EvaluateAsync<float>("line => line.getBoundingClientRect().x"), 1.0);
        Assert.Single(await visit.Page.Locator("output").AllTextContentsAsync(), text => text != "\u00A0");

        await visit.Page.Mouse.MoveAsync(1, 1);
        await Assertions.Expect(output).ToHaveTextAsync("\u00A0");
        await Assertions.Expect(line).ToHaveCSSAsync("visibility", "hidden");
    }

    [Fact]
    public async Task Each_chart_has_values_of_its_own()
    {
        await using Visit visit = await browser.Open(browser.Runs["photos"]);
        ILocator charts = visit.Page.Locator(".chart");
        foreach (ILocator chart in await charts.AllAsync())
            await chart.Locator("> svg").DispatchEventAsync("pointerdown", new { clientX = 1280 });    // at its right end
        TrainingEpoch last = browser.Runs.Result!.Epochs[^1];
        string accuracy = string.Create(CultureInfo.InvariantCulture, $"training {100 * last.Accuracy:G5}, validation {100 * last.ValidationAccuracy:G5}");
        string[] expected =
        [
            Expected(3), $"epoch 3: {accuracy}", string.Create(CultureInfo.InvariantCulture, $"epoch 3: validation {last.Monitored:G5}"),
            "epoch 3: learning rate 0.0005",
        ];
        Assert.Equal(expected, (await charts.Locator("output").AllTextContentsAsync()).Take(4));
        Assert.StartsWith("epoch 3: time ", await charts.Nth(4).Locator("output").TextContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_touch_is_told_them_too_and_they_stay()
    {
        BrowserNewPageOptions phone = new() { ViewportSize = new() { Width = 360, Height = 800 }, HasTouch = true, IsMobile = true };
        await using Visit visit = await browser.Open(browser.Runs["photos"], phone);
        (float x, float y) = await Corner(visit.Page, "validation", 1);
        await visit.Page.Touchscreen.TapAsync(x, y);
        await Assertions.Expect(visit.Page.Locator($"{Loss} output")).ToHaveTextAsync(Expected(2));
        await Assertions.Expect(visit.Page.Locator($"{Loss} .pointer")).ToHaveCSSAsync("visibility", "visible");
    }

    [Fact]
    public async Task After_the_first_step_there_is_one_value_and_the_pointer_goes_to_it()
    {
        await using Visit visit = await browser.Open(browser.Runs["begun"]);
        (float x, float y) = await Corner(visit.Page, "training", 0);
        await visit.Page.Mouse.MoveAsync(x - 100, y);
        string expected = string.Create(CultureInfo.InvariantCulture, $"epoch 0.048: training {browser.Runs.Losses[0]:G5}");    // 1/21
        await Assertions.Expect(visit.Page.Locator($"{Loss} output")).ToHaveTextAsync(expected);
        float width = await visit.Page.Locator($"{Loss} > svg").EvaluateAsync<float>("svg => svg.getBoundingClientRect().width");
        float at = await visit.Page.Locator($"{Loss} .pointer").EvaluateAsync<float>("line => line.getBoundingClientRect().x");
        Assert.InRange(at - x, -width / 100, width / 100);       // epochs are written with three decimals
    }
}
