//! One export at a time, and none for ever.

use std::time::Duration;

use super::fixture::{Plan, World};
use crate::gateway::exports::{ExportError, Exporting, PATIENCE};
use crate::store::StoreError;
use crate::store::export::Reader;

/// Reads on to the end.
async fn rest(export: &mut Exporting, mut file: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    while let Some(part) = export.next().await? {
        file.extend(part);
    }
    Ok(file)
}

/// So many customers that an export has several parts.
async fn busy() -> World {
    let world = World::start(Plan::default()).await;
    for number in 0..40 {
        world.text(&format!("+1415555{:04}", 100 + number), "Hey").await;
    }
    world
}

fn is_whole(file: &[u8]) -> bool {
    let (mut reader, mut records) = (Reader::default(), Vec::new());
    reader.read(file, &mut records).is_ok() && reader.finish().is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_second_export_is_told_when_the_first_was_begun_and_waits_for_its_end() {
    let world = busy().await;
    let begun = world.gateway.now();
    let mut first = world.gateway.export().await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let refused = world.gateway.export().await.err().unwrap();
    assert!(matches!(refused, ExportError::UnderWay { since } if since == begun), "{refused}");
    assert!(is_whole(&rest(&mut first, Vec::new()).await.unwrap()));
    // Also while the first is still held.
    let mut second = world.gateway.export().await.unwrap();
    assert!(is_whole(&rest(&mut second, Vec::new()).await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn an_export_whose_reader_goes_away_makes_room_for_the_next() {
    let world = busy().await;
    let mut first = world.gateway.export().await.unwrap();
    first.next().await.unwrap().unwrap();
    drop(first);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(world.gateway.export().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_export_that_nobody_reads_is_given_up_and_never_looks_whole() {
    let world = busy().await;
    let mut asleep = world.gateway.export().await.unwrap();
    let first = asleep.next().await.unwrap().unwrap();
    tokio::time::sleep(PATIENCE.checked_sub(Duration::from_secs(1)).unwrap()).await;
    assert!(world.gateway.export().await.is_err(), "a pause is forgiven");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(world.gateway.export().await.is_ok());
    assert!(rest(&mut asleep, first).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_export_that_is_read_slowly_comes_to_its_end() {
    let world = busy().await;
    let mut slow = world.gateway.export().await.unwrap();
    let (mut file, mut parts) = (Vec::new(), 0);
    while let Some(part) = slow.next().await.unwrap() {
        file.extend(part);
        parts += 1;
        tokio::time::sleep(PATIENCE.checked_sub(Duration::from_secs(1)).unwrap()).await;
    }
    assert!(parts > 3 && is_whole(&file));
}

#[tokio::test(start_paused = true)]
async fn an_export_that_cannot_begin_takes_nobodys_place() {
    let world = World::start(Plan::default()).await;
    world.store_refuses(true);
    assert!(matches!(world.gateway.export().await, Err(ExportError::Store(_))));
    world.store_refuses(false);
    assert!(world.gateway.export().await.is_ok());
}
