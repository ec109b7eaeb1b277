namespace MiniCnn.Tests;

/// <summary>A clock that the test controls.</summary>
sealed class Clock : TimeProvider
{
    public long Milliseconds { get; set; } = 1000;

    /// <summary>Time that passes at each reading.</summary>
    public long Tick { get; set; }

    public override long TimestampFrequency => 1000;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => Milliseconds += Tick;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Milliseconds);
}
